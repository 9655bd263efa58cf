"""The rules by which layer-wise relevance propagation (LRP) passes each operation of a network.

The relevance of a tensor is the tensor times its gradient, if each operation is replaced by its rule: an operation of
the same value that is linear in the tensors that depend on the input. All else in it is constant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vlcheck.errors import NotApplicable


class RelevanceRules(TorchFunctionMode):
    """Replaces each operation of a network by its rule, as long as the context lasts.

    Args:
        sinks: a factor of 1, (), of all added terms that do not depend on the input: biases, position embeddings, CLS
            tokens. The derivative of a score by it is the relevance that these terms absorb.
        epsilon: the stabiliser of linear layers and convolutions, 0 or more; it absorbs relevance where their output is
            small.

    Attributes:
        activated: the outputs of activations.
    """

    def __init__(self, sinks: Tensor, epsilon: float) -> None:
        super().__init__()
        self.sinks, self.epsilon = sinks, epsilon
        self.activated: list[Tensor] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if not any(_dependent((args, kwargs))):
            return _constant(self, func, *args, **kwargs)  # weights may require gradients
        rule: Callable[..., Any] = RULES.get(func.__name__.strip("_"), _without_rule)
        return rule(self, func, *args, **kwargs)

    def sink(self, term: Any) -> Any:
        """Return an added term, multiplied by the factor of the sinks if it does not depend on the input."""
        return term if term is None or _depends(term) else term * self.sinks

    def stabilised(self, output: Tensor) -> Tensor:
        """Return the output z of a linear layer; its gradient is multiplied by |z| / (|z| + epsilon)."""
        size = output.detach().abs()
        return output.detach() + (output - output.detach()) * (size / (size + self.epsilon)).nan_to_num(1)


def _linear(_: RelevanceRules, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Pass relevance through an operation that is linear already, or chooses among its inputs."""
    return func(*args, **kwargs)


def _sum(rules: RelevanceRules, func: Callable[..., Any], one: Any, other: Any, **kwargs: Any) -> Any:
    """Pass relevance to each term in proportion to its value (Bach et al. 2015, equation 56)."""
    return func(rules.sink(one), rules.sink(other), **kwargs)


def _joined(rules: RelevanceRules, func: Callable[..., Any], parts: Any, *args: Any, **kwargs: Any) -> Any:
    """Pass to each part its own relevance."""
    return func([rules.sink(part) for part in parts], *args, **kwargs)


def _placed(rules: RelevanceRules, func: Callable[..., Any], base: Any, *args: Any, **kwargs: Any) -> Any:
    """Pass relevance to what is put into a tensor, and to what is left of that."""
    return func(rules.sink(base), *args, **kwargs)


def _weighted(
    rules: RelevanceRules,
    func: Callable[..., Any],
    x: Tensor,
    weight: Tensor,
    bias: Any = None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Pass relevance through a linear layer or a convolution by the epsilon rule (equations 57 to 59).

    Input i gets z_ij / (z_j + epsilon sign z_j) of the relevance of output j, and the bias gets its own share.
    """
    return rules.stabilised(func(x, weight, rules.sink(bias), *args, **kwargs))


def _product(rules: RelevanceRules, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Pass relevance to the factor that depends on the input. Raises NotApplicable if two do, and neither is a gate.

    A gate is the output of an activation; it is constant (Arras et al. 2017, arXiv:1706.07206).
    """
    factors = [one for one in args if _depends(one)]
    if len(factors) > 1:
        gates = [one for one in factors if any(one is output for output in rules.activated)]
        if len(factors) - len(gates) != 1:
            raise NotApplicable(f"lrp has no rule for {func.__name__} of two tensors that both depend on the input")
        args = tuple(one.detach() if any(one is gate for gate in gates) else one for one in args)
    return func(*args, **kwargs)


def _matrix_product(rules: RelevanceRules, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Pass relevance to the factor that depends on the input; a product of two that do, query by key, is constant."""
    several = sum(1 for _ in _dependent((args, kwargs))) > 1
    return (_constant if several else _linear)(rules, func, *args, **kwargs)


def _constant(_: RelevanceRules, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Hold constant what weighs or scales other tensors: attention weights, gates, norms."""
    return func(*map(_detached, args), **{name: _detached(value) for name, value in kwargs.items()})


def _activation(rules: RelevanceRules, func: Callable[..., Any], x: Tensor, *args: Any, **kwargs: Any) -> Any:
    """Pass the relevance of an activation's output to its input unchanged."""
    there = x.detach()
    output = x * (func(there.clone(), *args, **kwargs) / there.where(there != 0, 1))
    rules.activated.append(output)
    return output


def _attention(
    _: RelevanceRules, func: Callable[..., Any], query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any
) -> Any:
    """Pass relevance to the values alone; attention weights are constant (Ali et al. 2022)."""
    return func(query.detach(), key.detach(), value, *args, **kwargs)


def _multi_head_attention(
    rules: RelevanceRules,
    func: Callable[..., Any],
    query: Tensor,
    key: Tensor,
    value: Tensor,
    width: int,
    heads: int,
    weight: Any,
    bias: Any,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Pass relevance to the values of an attention with its own projections; the rule of these has no epsilon."""
    *others, out_bias = args
    if bias is not None:
        bias = torch.cat([bias[: 2 * width], rules.sink(bias[2 * width :])])
    fixed = (query.detach(), key.detach())
    return func(*fixed, value, width, heads, weight, bias, *others, rules.sink(out_bias), **kwargs)


def _batch_norm(
    rules: RelevanceRules,
    _: Callable[..., Any],
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    weight: Tensor,
    bias: Tensor,
    eps: float = 1e-5,
    **_kwargs: Any,
) -> Tensor:
    """Pass relevance through a batch normalisation with the statistics of the training; their mean is a sink."""
    over = (-1, *[1] * (x.ndim - 2))
    scale = (weight / (variance + eps).sqrt()).reshape(over)
    shift: Tensor = rules.sink(bias.reshape(over) - mean.reshape(over) * scale)
    return x * scale + shift


def _layer_norm(
    rules: RelevanceRules,
    _: Callable[..., Any],
    x: Tensor,
    shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    *_args: Any,
) -> Tensor:
    """Pass relevance through a layer normalisation whose standard deviation is constant (Ali et al. 2022)."""
    own, x = tuple(range(-len(shape), 0)), x.contiguous()
    variance = x.detach().var(own, correction=0, keepdim=True)
    scaled = (x - x.mean(own, keepdim=True)) / (variance + eps).sqrt()
    scaled = scaled if weight is None else scaled * weight
    return scaled if bias is None else scaled + rules.sink(bias)


def _normalised(
    _: RelevanceRules,
    _func: Callable[..., Any],
    x: Tensor,
    p: float = 2.0,
    dim: int = 1,
    eps: float = 1e-12,
    **_kwargs: Any,
) -> Tensor:
    """Pass relevance through a normalisation whose norm is constant."""
    length: Tensor = x.detach().norm(p, dim, keepdim=True)
    return x / length.clamp_min(eps)


def _log_softmax(rules: RelevanceRules, _: Callable[..., Any], x: Tensor, dim: int, **kwargs: Any) -> Any:
    """Pass the relevance of a log-probability to its logit, less the mean logit of `_log_sum_exp`."""
    return x - _log_sum_exp(rules, _, x, dim, keepdim=True)


def _log_sum_exp(
    rules: RelevanceRules, _: Callable[..., Any], x: Tensor, dim: int, keepdim: bool = False, **kwargs: Any
) -> Any:
    """Pass the relevance of a normaliser to all logits by their probabilities p, which are constant.

    It is sum_k p_k z_k + H(p); the entropy H(p) is a sink.
    """
    log_probs = x.detach().log_softmax(dim)
    entropy = -(log_probs.exp() * log_probs).sum(dim, keepdim)
    return (log_probs.exp() * x).sum(dim, keepdim) + rules.sink(entropy)


def _without_rule(_: RelevanceRules, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return the value of an operation without gradient, e.g. a shape or a comparison. Raises NotApplicable else."""
    found = func(*args, **kwargs)
    if any(_dependent(found)):
        raise NotApplicable(f"lrp has no rule for {func.__name__}")
    return found


def _dependent(tree: Any) -> Iterator[bool]:
    """Yield True for each tensor in a tree of arguments that depends on the input."""
    if isinstance(tree, Mapping):
        tree = tuple(tree.values())
    if isinstance(tree, tuple | list):
        for one in tree:
            yield from _dependent(one)
    elif _depends(tree):
        yield True


def _depends(one: Any) -> bool:
    return isinstance(one, Tensor) and one.requires_grad and not isinstance(one, nn.Parameter)


def _detached(one: Any) -> Any:
    if isinstance(one, list):
        return [_detached(each) for each in one]
    if isinstance(one, tuple):
        return tuple(_detached(each) for each in one)
    return one.detach() if isinstance(one, Tensor) else one


_BY_RULE: Mapping[Callable[..., Any], str] = {
    _linear: "adaptive_avg_pool1d adaptive_avg_pool2d amax as_tensor avg_pool1d avg_pool2d bfloat16 chunk clone"
    " contiguous cumsum detach double dropout expand expand_as flatten float flip fold gather get getitem half"
    " index_select interpolate masked_fill max_pool2d mean movedim narrow neg pad"
    " permute repeat repeat_interleave reshape roll select setitem split squeeze sum swapaxes t take_along_dim to"
    " transpose type type_as unbind unflatten unfold unsqueeze view view_as where",
    _sum: "add iadd radd sub isub rsub",
    _joined: "cat concat concatenate stack hstack vstack",
    _placed: "index_add index_copy index_put masked_scatter",
    _weighted: "linear conv1d conv2d conv3d",
    _product: "mul imul rmul multiply div idiv truediv itruediv",
    _matrix_product: "matmul rmatmul bmm mm einsum",
    _constant: "softmax sigmoid norm linalg_norm vector_norm pow square sqrt rsqrt var std reciprocal",
    _activation: "relu gelu silu tanh leaky_relu elu mish hardswish",
    _attention: "scaled_dot_product_attention",
    _multi_head_attention: "multi_head_attention_forward",
    _layer_norm: "layer_norm",
    _batch_norm: "batch_norm",
    _normalised: "normalize",
    _log_softmax: "log_softmax",
    _log_sum_exp: "logsumexp",
}
RULES: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {name: rule for rule, names in _BY_RULE.items() for name in names.split()}
)
