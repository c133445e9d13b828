"""Rows, constraints and querysets, one file per aggregate. Knows no permissions and no services."""

from labeling.models.access import ApiToken, IdempotencyKey, Invitation, SignInFailure
from labeling.models.adjudication import AdjudicationLease
from labeling.models.assignments import Assignment
from labeling.models.corrections import AnswerCorrection
from labeling.models.datasets import Snapshot
from labeling.models.decisions import Decision
from labeling.models.engines import Engine, QueuePresence
from labeling.models.events import Event
from labeling.models.gold import ExamGrant, GoldItem
from labeling.models.guidelines import Acknowledgement, Guideline
from labeling.models.imports import Import
from labeling.models.judging import JudgePrompt, JudgeTrial
from labeling.models.labelers import Labeler
from labeling.models.people import Membership, User
from labeling.models.problems import Problem, Solution
from labeling.models.projects import Project
from labeling.models.rewards import PRM, TrainingRun
from labeling.models.rollups import BoardCount, Counted, Stale
from labeling.models.runs import Claim, Run, Sampling
from labeling.models.tallies import DayTally, ProjectTally, VerdictTally
from labeling.models.verdicts import Rollout, Verdict
from labeling.models.webhooks import Delivery, Webhook

__all__ = [
    "PRM",
    "Acknowledgement",
    "AdjudicationLease",
    "AnswerCorrection",
    "ApiToken",
    "Assignment",
    "BoardCount",
    "Claim",
    "Counted",
    "DayTally",
    "Decision",
    "Delivery",
    "Engine",
    "Event",
    "ExamGrant",
    "GoldItem",
    "Guideline",
    "IdempotencyKey",
    "Import",
    "Invitation",
    "JudgePrompt",
    "JudgeTrial",
    "Labeler",
    "Membership",
    "Problem",
    "Project",
    "ProjectTally",
    "QueuePresence",
    "Rollout",
    "Run",
    "Sampling",
    "SignInFailure",
    "Snapshot",
    "Solution",
    "Stale",
    "TrainingRun",
    "User",
    "Verdict",
    "VerdictTally",
    "Webhook",
]
