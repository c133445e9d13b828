"""One small row of each format, written for the tests in the publishers' shape."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]

NATIVE: Row = {
    "problem": "2 + 2?",
    "answer": "4",
    "steps": ["2 + 2 = 4", "Answer: 4"],
    "label": -1,
}
PROCESSBENCH: Row = {
    "id": "gsm8k-7",
    "generator": "a-model",
    "problem": "3 + 3?",
    "steps": ["3 + 3 = 7", "The answer is 7"],
    "final_answer_correct": False,
    "label": 0,
}
GSM8K: Row = {"question": "How many eggs?", "answer": "16 - 7 = <<16-7=9>>9\n#### 9"}
MATH: Row = {
    "problem": "Halve 1.",
    "solution": r"So \boxed{\frac{1}{2}}.",
    "level": "Level 1",
    "unique_id": "test/1.json",
}


def candidate(text: str, rating: int | None, flagged: bool = False) -> Row:
    return {"text": text, "rating": rating, "flagged": flagged}


def step(chosen: int | None, *completions: Row, human: str | None = None) -> Row:
    written = None if human is None else {"text": human, "rating": None, "source": "human"}
    return {
        "completions": list(completions),
        "human_completion": written,
        "chosen_completion": chosen,
    }


PRM800K_PHASE1: Row = {
    "labeler": "e90a",
    "timestamp": "2022-07-30T23:23:32",
    "generation": None,
    "is_quality_control_question": False,
    "is_initial_screening_question": False,
    "question": {"problem": "5 + 5?", "ground_truth_answer": "10"},
    "label": {
        "steps": [
            step(0, candidate("Add.", 1), candidate("Multiply.", -1)),
            step(None, candidate("It is 11.", -1), candidate("So 9.", -1), human="5 + 5 = 10."),
            step(1, candidate("Well.", 0), candidate("So ten.\n\n# Answer\n\n10", 1)),
        ],
        "total_time": 12_500,
        "finish_reason": "solution",
    },
}
PRM800K_PHASE2: Row = {
    **PRM800K_PHASE1,
    "labeler": "cc88",
    "generation": 6,
    "question": {
        "problem": "6 + 6?",
        "ground_truth_solution": "12",
        "ground_truth_answer": "12",
        "pre_generated_steps": ["Add.", "6 + 6 = 13.", "# Answer\n\n13"],
        "pre_generated_answer": "13",
        "pre_generated_verifier_score": 0.001,
    },
    "label": {
        "steps": [
            step(0, candidate("Add.", 1)),
            step(None, candidate("6 + 6 = 13.", -1), candidate("6 + 6 = 12.", 1)),
        ],
        "total_time": 1000,
        "finish_reason": "found_error",
    },
}
MATH_SHEPHERD: Row = {
    "input": "7 + 7? Step 1: 7 + 7 = 14 ки\nStep 2: Minus one. The answer is: 13 ки",
    "label": "7 + 7? Step 1: 7 + 7 = 14 +\nStep 2: Minus one. The answer is: 13 -",
    "task": "GSM8K",
}
TRL: Row = {
    "prompt": "Which is larger, 9.8 or 9.11?",
    "completions": ["0.8 and 0.11.", "0.11 is larger.", "Hence 9.11."],
    "labels": [True, False, False],
}
RECORD: Row = {
    "id": "abc",
    "problem_id": "p",
    "prompt": "8 + 8?",
    "steps": ["8 + 8 = 16", "Answer: 15"],
    "labels": [1, 0],
    "counts": [[3, 8], [0, 8]],
    "first_error": 1,
    "final_answer_correct": False,
    "split": "train",
    "sources": {"labels": "consensus"},
}
OMEGAPRM: Row = {
    "question": "9 + 9?",
    "final_answer": "18",
    "question_id": 3,
    "reasoning_steps": {
        "text": "9 + 9?",
        "mc_value": 0.5,
        "children": [
            {
                "text": "Add.",
                "mc_value": 0.75,
                "children": [
                    {"text": "\nThe answer is 18.", "mc_value": 1.0, "children": []},
                    {"text": "\nThe answer is 17.", "mc_value": 0.0, "children": []},
                ],
            },
            {"text": "The answer is 0.", "mc_value": 0.0, "children": []},
        ],
    },
}
OMEGAPRM_FLAT: Row = {
    "question": "9 + 9?",
    "final_answer": "18",
    "question_id": 3,
    "reasoning_steps": [
        {"solution_prefix": "9 + 9?", "mc_value": 0.5},
        {"solution_prefix": "9 + 9?\n\nThe answer is 0.", "mc_value": 0.0},
        {"solution_prefix": "9 + 9?\n\nAdd.", "mc_value": 0.75},
        {"solution_prefix": "9 + 9?\n\nAdd.\nThe answer is 18.", "mc_value": 1.0},
        {"solution_prefix": "9 + 9?\n\nAdd.\nThe answer is 17.", "mc_value": 0.0},
    ],
}
MRBEN: Row = {
    "Question_UUID": "855f",
    "Subject": "college_math",
    "Question": "The shortest distance is",
    "Options": "A: 4 \nB: 8 ",
    "Ground_Truth_Answer": "A",
    "Ground_Truth_Answer_Modified": "A",
    "Sampled_Model": "Claude2",
    "Model_Solution_Steps": [
        "Step 1: Draw it.",
        "It looks right.",
        "Step 2: So it is 8.",
        "Solution: Choice_B",
    ],
    "Model_Solution_Correctness": "incorrect",
    "Model_Solution_First_Error_Step": "2",
    "Model_Solution_Error_Reason": ["It is 4.\n", "Look again.\n"],
}
MRGSM8K: Row = {
    "uuid": "8eb8",
    "question": "How far?",
    "ground_truth_answer": 60,
    "model_output_steps": ["Step 1: 50 * 3 = 150.", "Step 2: A quarter.", "Step 3: #### 25"],
    "model_output_answer_correctness": "wrong",
    "model_output_solution_correctness": "wrong",
    "model_output_solution_first_error_step": 1,
    "model_output_solution_first_error_reason": "Days are not hours.",
    "question_type": "original",
}
BIGBENCH: Row = {
    "input": "(1 + 1) =",
    "steps": ["Take 1 and 1.", "So the answer is 3"],
    "target": "2",
    "answer": "3",
    "mistake_index": 1,
}
PRMBENCH: Row = {
    "original_question": "Three pencils?",
    "modified_question": "Three pencils cost?",
    "original_process": ["1. Take p.", "2. It is 29."],
    "modified_process": ["1. Take p.", "2. It is 30.", "3. So 30."],
    "modified_steps": [2, 3],
    "error_steps": [2, 3],
    "reason": "Step 2 invents.",
    "idx": "prm_test_p1_0",
    "question": "Three pencils?",
    "classification": "circular",
}
QWEN: Row = {
    "messages": [
        {"role": "system", "content": "Please reason step by step."},
        {"role": "user", "content": "4 + 4?"},
        {"role": "assistant", "content": "4 + 4 = 9<extra_0>So 9.<extra_0>"},
    ],
    "labels": [0, None],
    "first_error": 0,
    "final_answer_correct": False,
    "id": "q1",
}
CHAIN: Row = {
    "messages": [
        {"role": "user", "content": "Problem: 1 + 2?\n\nAdd.\n\nSo 4.\n\nCheck:"},
        {"role": "assistant", "content": "Step 1: ok\nAnswer: wrong"},
    ],
    "labels": [1, 0],
    "first_error": 1,
    "judge": "judge:ef",
    "template": "check-v1",
    "id": "j1",
}

ROWS: dict[str, Row] = {
    "native": NATIVE,
    "processbench": PROCESSBENCH,
    "gsm8k": GSM8K,
    "math": MATH,
    "prm800k": PRM800K_PHASE1,
    "math-shepherd": MATH_SHEPHERD,
    "qwen": QWEN,
    "judge-chains": CHAIN,
    "trl": TRL,
    "record": RECORD,
    "omegaprm": OMEGAPRM,
    "mr-ben": MRBEN,
    "mr-gsm8k": MRGSM8K,
    "bigbench-mistake": BIGBENCH,
    "prmbench": PRMBENCH,
}
"""By the format's name."""
