"""OmegaPRM's Monte-Carlo trees as OpenR writes them, nested or as a list of prefixes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from labeling.domain.answers import final_answer
from labeling.domain.formats.fields import (
    STEP_LIMIT,
    equal_answers,
    id_of,
    share_in,
    statement_of,
    steps_of,
    text_of,
)
from labeling.domain.formats.rows import (
    GivenVerdict,
    ImportRow,
    ProblemRow,
    Reading,
    Row,
    RowError,
    SolutionRow,
    Source,
)
from labeling.domain.labels import LabelerKind, first_error_of

SOURCE = Source(LabelerKind.MC, "OmegaPRM")
NODE_LIMIT = 20_000
"""Nodes of one tree."""

PATH_LIMIT = 5_000_000
"""Characters of all of one tree's solutions together: each repeats what it shares with others."""


@dataclass(slots=True)
class _Node:
    """The text that a node adds to its parent's, and the share of its rollouts that succeed."""

    text: str
    share: float
    children: list[_Node] = field(default_factory=list)


def fits(row: Row) -> bool:
    """Say whether the row is a question with a tree of rollouts."""
    return "question" in row and "reasoning_steps" in row


def read(row: Row, reading: Reading) -> Iterator[ImportRow]:  # noqa: ARG001 - every reader's
    """Read one solution for each leaf; the root is the question and labels no step.

    A step is right where any rollout succeeded. The file has shares, not counts: they are kept as
    the steps' scores.
    """
    problem = ProblemRow(
        statement=statement_of(row, "question"),
        answer=text_of(row, "final_answer").strip(),
        external_id=id_of(row, "question_id"),
        source="OmegaPRM",
    )
    tree = row["reasoning_steps"]
    root = _nested(tree) if isinstance(tree, dict) else _unfolded(tree)
    left = PATH_LIMIT
    for path in _paths(root):
        left -= sum(len(node.text) for node in path)
        if left < 0:
            raise RowError(
                "reasoning_steps: the paths hold more than {path_limit} characters",
                path_limit=PATH_LIMIT,
            )
        yield ImportRow(problem, _solution(path, problem))


def _solution(path: list[_Node], problem: ProblemRow) -> SolutionRow:
    steps = steps_of([node.text.strip() for node in path], "reasoning_steps")
    scores = tuple(node.share for node in path)
    labels = tuple(1 if share > 0 else -1 for share in scores)
    answer = final_answer(steps[-1])
    return SolutionRow(
        steps=steps,
        final_answer=answer,
        final_answer_correct=equal_answers(answer, problem.answer),
        truncated=answer is None,
        verdicts=(GivenVerdict(SOURCE, first_error_of(labels), labels, step_scores=scores),),
    )


def _nested(tree: dict[str, Any]) -> _Node:
    root = _node(tree)
    waiting = [(root, tree)]
    count = 1
    while waiting:
        parent, value = waiting.pop()
        children = value.get("children") or []
        if not isinstance(children, list):
            raise RowError("reasoning_steps: children must be a list")
        count += len(children)
        _check_size(count)
        for child in children:
            node = _node(child)
            parent.children.append(node)
            waiting.append((node, child))
    return root


def _node(value: Any, name: str = "text") -> _Node:
    if not isinstance(value, dict) or not isinstance(value.get(name), str):
        raise RowError("reasoning_steps: a node has no {name}", name=name)
    return _Node(value[name], share_in(value.get("mc_value"), "reasoning_steps: mc_value"))


def _unfolded(prefixes: Any) -> _Node:
    """Return the tree of a list of prefixes: a node's parent is the longest prefix of its text."""
    if not isinstance(prefixes, list) or not prefixes:
        raise RowError("reasoning_steps: a tree or a list of prefixes is expected")
    _check_size(len(prefixes))
    # In this order each text comes after its own prefixes.
    nodes = sorted((_node(prefix, "solution_prefix") for prefix in prefixes), key=_text)
    root, whole = nodes[0], [nodes[0].text]
    above = [root]
    for node in nodes[1:]:
        while not node.text.startswith(whole[-1]):
            above.pop()
            whole.pop()
            if not above:
                raise RowError("reasoning_steps: a prefix does not begin with the question")
        added = node.text[len(whole[-1]) :]
        if added.strip():
            whole.append(node.text)
            node.text = added
            above[-1].children.append(node)
            above.append(node)
    return root


def _paths(root: _Node) -> Iterator[list[_Node]]:
    """Yield the nodes from the root, which is left out, to each leaf."""
    waiting: list[tuple[_Node, list[_Node]]] = [(child, []) for child in reversed(root.children)]
    while waiting:
        node, above = waiting.pop()
        path = [*above, node] if node.text.strip() else above
        if len(path) > STEP_LIMIT:
            raise RowError(
                "reasoning_steps: a path of more than {step_limit} nodes", step_limit=STEP_LIMIT
            )
        waiting += [(child, path) for child in reversed(node.children)]
        if path and not node.children:
            yield path


def _text(node: _Node) -> str:
    return node.text


def _check_size(nodes: int) -> None:
    if nodes > NODE_LIMIT:
        raise RowError("reasoning_steps: more than {node_limit} nodes", node_limit=NODE_LIMIT)
