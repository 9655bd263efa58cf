"""Attention maps of a network, with gradients, whatever code computes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FunctionType, TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from vlcheck.explain.attribution.gradients import with_gradient

_SOFTMAX = frozenset({functional.softmax, torch.softmax, Tensor.softmax})
_TOGETHER = functional.multi_head_attention_forward
# A context sees nn.MultiheadAttention as one call. This copy of that call shows its steps: projections and attention.
_IN_STEPS = FunctionType(
    _TOGETHER.__code__, {**vars(functional), "has_torch_function": lambda _: False}, argdefs=_TOGETHER.__defaults__
)


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """The weights with which queries read keys.

    Attributes:
        module: the name of the module that computed them.
        weights: (n, heads, queries, keys); a row of a query sums to 1.
    """

    module: str
    weights: Tensor


class AttentionRecorder(TorchFunctionMode):
    """A context in which the attention maps of a network are kept, with gradients.

    Fused attention (`scaled_dot_product_attention`) is computed by an explicit softmax. Of code that computes the
    softmax itself, the outputs of four dimensions are kept. The network stays as it is.

    Args:
        network: the network.
        wanted: returns True for the name of a module whose maps are kept.

    Attributes:
        maps: the maps in the order of their computation.
    """

    def __init__(self, network: nn.Module, wanted: Callable[[str], bool]) -> None:
        super().__init__()
        self.maps: list[AttentionMap] = []
        self._network, self._wanted = network, wanted
        self._running: list[str] = []  # the names of the modules that run, the innermost one last
        self._hooks = ExitStack()

    def __enter__(self) -> AttentionRecorder:
        for name, module in self._network.named_modules():
            begun = module.register_forward_pre_hook(lambda *_, name=name: self._running.append(name))
            ended = module.register_forward_hook(lambda *_: self._end(), always_call=True)
            self._hooks.callback(begun.remove)
            self._hooks.callback(ended.remove)
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)  # type: ignore[no-untyped-call]
        self._hooks.close()

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is functional.scaled_dot_product_attention and self._listening:
            return self._attend(*args, **kwargs)
        if func is _TOGETHER and self._listening:
            with self._again():
                return _IN_STEPS(*args, **{**kwargs, "need_weights": False})
        output = func(*args, **kwargs)
        if func in _SOFTMAX and output.ndim == 4 and self._listening:
            self._keep(output)
        return output

    @property
    def _listening(self) -> bool:
        return bool(self._running) and self._wanted(self._running[-1])

    @contextmanager
    def _again(self) -> Iterator[None]:
        """See the calls inside a call, which a context does not see by itself."""
        super().__enter__()  # type: ignore[no-untyped-call]
        try:
            yield
        finally:
            super().__exit__(None, None, None)  # type: ignore[no-untyped-call]

    def _end(self) -> None:
        self._running.pop()

    def _keep(self, weights: Tensor) -> Tensor:
        self.maps.append(AttentionMap(self._running[-1], with_gradient(weights)))
        return weights

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        weights = self._keep(attention_weights(query, key, *args, **kwargs))
        return weights @ repeated(value, query)


def attention_weights(
    query: Tensor,
    key: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Return the weights of `torch.nn.functional.scaled_dot_product_attention`, (n, heads, queries, keys).

    Args:
        query: (n, heads, queries, width).
        key: (n, key heads, keys, width).
        attn_mask: True at the keys that a query reads, or a term that is added to the logits; it can be spread to the
            weights' shape.
        dropout_p: the share of weights that training drops; of no effect here.
        is_causal: True if a query reads no key after its own place.
        scale: the factor of the logits; by default 1 / sqrt(width).
        enable_gqa: True if several heads may share a key head.
    """
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    logits = query @ repeated(key, query).mT * scale
    least = torch.finfo(logits.dtype).min  # not -inf, so that a query that reads no key has no NaN
    if is_causal:
        attn_mask = torch.ones_like(logits[0, 0], dtype=torch.bool).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        logits = logits.masked_fill(~attn_mask, least)
    elif attn_mask is not None:
        logits = logits + attn_mask.clamp(min=least)
    return logits.softmax(-1)


def repeated(heads: Tensor, query: Tensor) -> Tensor:
    """Return keys or values with as many heads as the query has.

    Args:
        heads: (n, key heads, keys, width).
        query: (n, heads, queries, width).
    """
    times = query.shape[1] // heads.shape[1]
    return heads if times == 1 else heads.repeat_interleave(times, 1)
