"""Prepare a checkout: `python3 -m annotator.bootstrap [--dev] [--vllm]`.

Standard library only, and nothing of the rest: it runs before anything is installed.
"""
