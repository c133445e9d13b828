"""Rows of a model that join and leave while others go on, on prompts that are read only once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workers.engines.cache import Window
from workers.engines.prefixes import Prefixes, Tokens

SLACK = 8
"""Rows and columns grow by one in so many more than needed: copying all is rare, gaps are small."""


class Rolling:
    """Keys and values of rows that all end at the same time, whenever they began.

    Time counts the tokens that were fed; what belongs to time t stands in column t modulo the
    number of columns, so the tensors have no gaps: reading beyond gaps was three times slower
    (measured). A row that joins is put down so that it ends now; positions count from its own
    begin. Knows the model's tensors, not what is drawn from them.
    """

    joinable = True

    def __init__(
        self, model: Any, states: Tensor, prefixes: Prefixes, capacity: int, context: int
    ) -> None:
        """Take a model whose attention accepts masks that are added.

        `states` (layers, 2, 1, heads, 0, width) are the keys and values of no token, `capacity` is
        how many tokens all rows may have together, `context` how many one row.
        """
        self._model, self._states, self._prefixes = model, states, prefixes
        self._capacity, self._context = capacity, context
        self.clear()

    def clear(self) -> None:
        """Let all rows leave, and their memory go."""
        self._slabs = list(self._states.unbind(0))
        self._begins = np.zeros(0, dtype=np.int64)
        self._now = 0

    def holds(self, rows: int, prompt: int, longest: int) -> bool:  # noqa: ARG002
        """Say whether there is memory for so many rows of up to `longest` tokens each."""
        return rows * longest <= self._capacity

    def unread(self, prompt: Tokens) -> int:
        """Return how many tokens of a prompt must be read: at least the last, for its logits."""
        return max(len(prompt) - self._prefixes.find(prompt)[0], 1)

    def join(self, prompts: Sequence[Tokens], places: Sequence[int]) -> Tensor:
        """Begin a row per prompt at its place; return logits (rows, vocabulary).

        Places are those of finished rows, or follow all others. Equal prompts are read once.
        """
        distinct = {prompt: place for place, prompt in enumerate(dict.fromkeys(prompts))}
        logits, slab = self._read(list(distinct))
        for prompt, place in distinct.items():
            self._prefixes.keep(prompt, slab[:, :, place, :, -len(prompt) :])
        if len(distinct) < len(prompts):
            each = [distinct[prompt] for prompt in prompts]
            slab, logits = slab[:, :, each], logits[each]
        self._put(slab, places, [len(prompt) for prompt in prompts])
        return logits

    def feed(self, tokens: Sequence[int]) -> Tensor:
        """Append a token to every row; return logits (rows, vocabulary)."""
        begins = np.minimum(self._begins, self._now)
        if (needed := self._now + 1 - int(begins.min())) > self._columns:
            self._lay_out(0, needed)
        device, rows, columns = self._states.device, len(tokens), self._columns
        since = torch.from_numpy(begins).to(device)[:, None]
        times = self._now - (self._now - torch.arange(columns, device=device)) % columns
        window = Window([slab[:, :rows] for slab in self._slabs], self._now % columns)
        ids = torch.tensor(tokens, device=device)[:, None]
        logits = self._forward(ids, self._now - since, (times < since)[:, None], window)
        self._now += 1
        return logits

    def finish(self, rows: Sequence[int]) -> None:
        """Let rows take no room until they leave; what is still fed to them is of no use."""
        self._begins[list(rows)] = np.iinfo(np.int64).max

    def keep(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order."""
        moved = [(to, old) for to, old in enumerate(rows) if to != old]
        if moved:
            to, old = (list(places) for places in zip(*moved, strict=True))
            for slab in self._slabs:
                slab[:, to] = slab[:, old]
        self._begins = self._begins[list(rows)]

    @property
    def _columns(self) -> int:
        return self._slabs[0].shape[-2]

    def _read(self, prompts: Sequence[Tokens]) -> tuple[Tensor, Tensor]:
        """Return each prompt's last logits, and keys and values of all that end together.

        Every row reads its last tokens, as many as the one of which least is known.
        """
        width, new = max(map(len, prompts)), max(map(self.unread, prompts))
        known = width - new
        layers, two, _, heads, _, size = self._states.shape
        slab = self._states.new_zeros(layers, two, len(prompts), heads, width, size)
        for row, prompt in enumerate(prompts):
            old, (_, states) = len(prompt) - new, self._prefixes.find(prompt)
            if old > 0 and states is not None:
                slab[:, :, row, :, known - old : known] = states[..., :old, :]
        device = slab.device
        ids = torch.tensor([[0] * (new - len(p)) + list(p[-new:]) for p in prompts], device=device)
        begins = torch.tensor([width - len(prompt) for prompt in prompts], device=device)
        places = torch.arange(width, device=device)
        asking = places[known:]
        # A padded place sees itself: the state of one that sees nothing would be no number.
        early = (places < begins[:, None, None]) & (places != asking[:, None])
        hidden = early | (places > asking[:, None])
        positions = (asking - begins[:, None]).clamp(min=0)
        return self._forward(ids, positions, hidden, Window(slab.unbind(0), known)), slab

    def _forward(self, ids: Tensor, positions: Tensor, hidden: Tensor, window: Window) -> Tensor:
        """Return logits (rows, vocabulary) after the last of `ids` (rows, new).

        `hidden` (rows, new, columns) are the columns that a token does not see.
        """
        mask = torch.zeros(hidden.shape, dtype=self._states.dtype, device=ids.device)
        output = self._model(
            input_ids=ids,
            attention_mask=mask.masked_fill_(hidden, -torch.inf)[:, None],
            position_ids=positions,
            past_key_values=window,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[:, -1]
        return logits

    def _put(self, slab: Tensor, places: Sequence[int], lengths: Sequence[int]) -> None:
        """Put rows (layers, 2, rows, heads, tokens, width) to their places, to end now."""
        rows, width = max(len(self._begins), places[-1] + 1), slab.shape[-2]
        if rows > self._slabs[0].shape[1] or width > self._columns:
            self._lay_out(rows, width)
        begins = np.zeros(rows, dtype=np.int64)
        begins[: len(self._begins)] = self._begins
        begins[list(places)] = self._now - np.array(lengths)
        self._begins = begins
        first = (self._now - width) % self._columns
        turn = min(width, self._columns - first)
        where = torch.tensor(places, device=slab.device)
        for mine, new in zip(self._slabs, slab.unbind(0), strict=True):
            mine[:, where, :, first : first + turn] = new[..., :turn, :]
            mine[:, where, :, : width - turn] = new[..., turn:, :]

    def _lay_out(self, rows: int, columns: int) -> None:
        """Copy all rows into slabs that have room for so many rows and columns at least."""
        old, room, before = len(self._begins), self._slabs[0].shape[1], self._columns
        rows = room if rows <= room else max(rows, room + room // 2)
        columns = before if columns <= before else columns + columns // SLACK + 1
        times = torch.arange(self._now - before, self._now, device=self._states.device)
        for layer, slab in enumerate(self._slabs):
            larger = slab.new_zeros(2, rows, slab.shape[2], columns, slab.shape[-1])
            larger[:, :old, :, times % columns] = slab[:, :old, :, times % before]
            # At once: the old slab's memory goes before the next layer's new one comes.
            self._slabs[layer] = larger
