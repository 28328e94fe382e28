"""Names that PyTorch has: asking for one that is spelled otherwise here, or is not here, gives an error that says so.

As of PyTorch 2.13; a test compares the lists with the PyTorch that is installed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


MODULES = _names(
    """
    AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveLogSoftmaxWithLoss AdaptiveMaxPool1d
    AdaptiveMaxPool2d AdaptiveMaxPool3d AlphaDropout AvgPool1d AvgPool2d AvgPool3d BCELoss BCEWithLogitsLoss
    BatchNorm1d BatchNorm2d BatchNorm3d Bilinear CELU CTCLoss ChannelShuffle CircularPad1d CircularPad2d CircularPad3d
    ConstantPad1d ConstantPad2d ConstantPad3d Container Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d
    ConvTranspose3d CosineEmbeddingLoss CosineSimilarity CrossEntropyLoss CrossMapLRN2d DataParallel Dropout Dropout1d
    Dropout2d Dropout3d ELU Embedding EmbeddingBag FeatureAlphaDropout Flatten Fold FractionalMaxPool2d
    FractionalMaxPool3d GELU GLU GRU GRUCell GaussianNLLLoss GroupNorm Hardshrink Hardsigmoid Hardswish Hardtanh
    HingeEmbeddingLoss HuberLoss Identity InstanceNorm1d InstanceNorm2d InstanceNorm3d KLDivLoss L1Loss LPPool1d
    LPPool2d LPPool3d LSTM LSTMCell LayerNorm LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyConv1d LazyConv2d
    LazyConv3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d LazyInstanceNorm1d LazyInstanceNorm2d
    LazyInstanceNorm3d LazyLinear LeakyReLU Linear LinearCrossEntropyLoss LocalResponseNorm LogSigmoid LogSoftmax
    MSELoss MarginRankingLoss MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d Mish Module ModuleDict
    ModuleList MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss MultiheadAttention NLLLoss NLLLoss2d
    PReLU PairwiseDistance ParameterDict ParameterList PixelShuffle PixelUnshuffle PoissonNLLLoss RMSNorm RNN RNNBase
    RNNCell RNNCellBase RReLU ReLU ReLU6 ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d
    ReplicationPad2d ReplicationPad3d SELU Sequential SiLU Sigmoid SmoothL1Loss SoftMarginLoss Softmax Softmax2d
    Softmin Softplus Softshrink Softsign SyncBatchNorm Tanh Tanhshrink Threshold Transformer TransformerDecoder
    TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer TripletMarginLoss TripletMarginWithDistanceLoss
    Unflatten Unfold Upsample UpsamplingBilinear2d UpsamplingNearest2d ZeroPad1d ZeroPad2d ZeroPad3d
    """
)
FUNCTIONS = _names(
    """
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
    adaptive_max_pool3d affine_grid alpha_dropout avg_pool1d avg_pool2d avg_pool3d batch_norm bilinear
    binary_cross_entropy binary_cross_entropy_with_logits celu celu_ channel_shuffle conv1d conv2d conv3d conv_tbc
    conv_transpose1d conv_transpose2d conv_transpose3d cosine_embedding_loss cosine_similarity cross_entropy ctc_loss
    dropout dropout1d dropout2d dropout3d elu elu_ embedding embedding_bag feature_alpha_dropout fold
    fractional_max_pool2d fractional_max_pool3d gaussian_nll_loss gelu glu grid_sample group_norm grouped_mm
    gumbel_softmax hardshrink hardsigmoid hardswish hardtanh hardtanh_ hinge_embedding_loss huber_loss instance_norm
    interpolate kl_div l1_loss layer_norm leaky_relu leaky_relu_ linear linear_cross_entropy local_response_norm
    log_softmax logsigmoid lp_pool1d lp_pool2d lp_pool3d margin_ranking_loss max_pool1d max_pool2d max_pool3d
    max_unpool1d max_unpool2d max_unpool3d mish mse_loss multi_head_attention_forward multi_margin_loss
    multilabel_margin_loss multilabel_soft_margin_loss nll_loss normalize one_hot pad pairwise_distance pdist
    pixel_shuffle pixel_unshuffle poisson_nll_loss prelu relu relu6 relu_ rms_norm rrelu rrelu_
    scaled_dot_product_attention scaled_grouped_mm scaled_mm selu selu_ sigmoid silu smooth_l1_loss soft_margin_loss
    softmax softmin softplus softshrink softsign tanh tanhshrink threshold threshold_ triplet_margin_loss
    triplet_margin_with_distance_loss unfold upsample
    """
)
DATA = _names(
    """
    BatchSampler ChainDataset ConcatDataset DataLoader Dataset DistributedSampler IterableDataset RandomSampler Sampler
    SequentialSampler StackDataset Subset SubsetRandomSampler TensorDataset WeightedRandomSampler default_collate
    default_convert get_worker_info random_split
    """
)
OPTIMISERS = _names(
    """
    ASGD Adadelta Adafactor Adagrad Adam AdamW Adamax LBFGS Muon NAdam Optimizer RAdam RMSprop Rprop SGD SparseAdam
    """
)
SCHEDULERS = _names(
    """
    ChainedScheduler ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR ExponentialLR LambdaLR LinearLR
    MultiStepLR MultiplicativeLR OneCycleLR PolynomialLR ReduceLROnPlateau SequentialLR StepLR
    """
)
INITIALS = _names(
    """
    constant_ dirac_ eye_ kaiming_normal_ kaiming_uniform_ normal_ ones_ orthogonal_ sparse_ trunc_normal_ uniform_
    xavier_normal_ xavier_uniform_ zeros_
    """
)
RENAMED = {
    "Optimizer": "Optimiser",
    "abs": "absolute",
    "cat": "concatenate",
    "clamp": "clip",
    "clip_grad_norm_": "clip_grad_norm",
    "clip_grad_value_": "clip_grad_value",
    "eye_": "identity",
    "div": "divide",
    "kaiming_normal_": "he_normal",
    "kaiming_uniform_": "he_uniform",
    "mul": "multiply",
    "neg": "negative",
    "normal_": "normal",
    "orthogonal_": "orthogonal",
    "permute": "transpose",
    "pow": "power",
    "sub": "subtract",
    "uniform_": "uniform",
    "unsqueeze": "expand_dims",
    "view": "reshape",
    "xavier_normal_": "glorot_normal",
    "xavier_uniform_": "glorot_uniform",
}


LIKE = 0.76  # how much a name must be like another for a suggestion: 'Linaer' is, 'sort' is not like 'sqrt'
ONE_DEVICE = "nothing: there is one device, the processor"
OF_TENSORS = {
    "add": "+",
    "all": "tensor.data.all()",
    "allclose": "np.allclose on data",
    "amax": "max with axis=",
    "amin": "min with axis=",
    "any": "tensor.data.any()",
    "argsort": "np.argsort(tensor.data)",
    "bmm": "@",
    "bool": "comparisons and data.astype(bool)",
    "chunk": "slices, tensor[:, :n]",
    "clamp_max": "clip(max=...)",
    "clamp_min": "clip(min=...)",
    "contiguous": "nothing: every layout will do",
    "cpu": ONE_DEVICE,
    "cuda": ONE_DEVICE,
    "diag": "nn.einsum('ii->i', tensor)",
    "dim": "ndim",
    "div": "/",
    "dot": "@",
    "double": "astype(np.float64)",
    "eq": "==",
    "expand": "nn.broadcast_to(tensor, shape)",
    "expand_as": "nn.broadcast_to(tensor, other.shape)",
    "flip": "slices, tensor[::-1]",
    "float": "astype(np.float32)",
    "half": "astype(np.float32), the shortest precision here",
    "int": "data.astype(int)",
    "isfinite": "np.isfinite(tensor.data)",
    "isnan": "np.isnan(tensor.data)",
    "log1p": "nn.log(1 + tensor)",
    "long": "data.astype(int)",
    "masked_fill": "nn.where(mask, value, tensor)",
    "masked_select": "tensor[mask]",
    "mm": "@",
    "mT": "transpose(-2, -1)",
    "mul": "*",
    "nonzero": "np.nonzero(tensor.data)",
    "numel": "size",
    "numpy": "data",
    "outer": "tensor[:, None] * other",
    "reciprocal": "1 / tensor",
    "repeat": "nn.concatenate([tensor] * n)",
    "requires_grad_": "requires_grad = True",
    "retain_grad": "register_hook, or nn.grad(loss, tensor)",
    "rsqrt": "tensor ** -0.5",
    "sign": "np.sign(tensor.data)",
    "sort": "gather, with np.argsort(tensor.data)",
    "split": "slices, tensor[:, :n]",
    "sub": "-",
    "t": "T",
    "to": "astype(dtype) for a precision; there is one device, the processor",
    "tolist": "data.tolist()",
    "topk": "gather, with np.argpartition(tensor.data, -k)",
    "trace": "nn.einsum('ii->', tensor)",
    "tril": "tensor * np.tril(np.ones(shape))",
    "triu": "tensor * np.triu(np.ones(shape))",
    "type": "dtype",
    "unbind": "for row in tensor",
}
"""A method of PyTorch's tensors, and a function of `torch` -> what does it here."""
OF_TORCH = {
    **OF_TENSORS,
    "autograd": "nn.grad, nn.jvp, nn.hvp, nn.jacobian",
    "device": ONE_DEVICE,
    "enable_grad": "code outside nn.no_grad()",
    "from_numpy": "nn.Tensor(array)",
    "inference_mode": "nn.no_grad()",
    "lr_scheduler": "nn.schedulers",
    "manual_seed": "rng=np.random.default_rng(seed), an argument of what draws",
    "optim": "nn.SGD, nn.Adam and the others, in nn itself",
    "utils": "nn.clip_grad_norm and the others, in nn itself; nn.data",
    **{name: f"np.{name}" for name in ("arange", "eye", "full", "linspace", "meshgrid", "ones", "zeros")},
    **dict.fromkeys(("bernoulli", "multinomial", "rand", "randint", "randn", "randperm"), "a numpy generator"),
}
"""What a PyTorch user may look for in `nn` itself -> what does it here."""
OF_MODULES = {
    "add_module": "setattr(module, name, other)",
    "cpu": ONE_DEVICE,
    "cuda": ONE_DEVICE,
    "double": "dtype=np.float64 when its layers are made",
    "float": "dtype=np.float32 when its layers are made",
    "get_parameter": "dict(module.named_parameters())[name]",
    "get_submodule": "dict(module.named_modules())[name]",
    "register_backward_hook": "register_full_backward_hook",
    "register_module": "setattr(module, name, other)",
    "register_parameter": "setattr(module, name, parameter)",
    "requires_grad_": "requires_grad of each of its parameters()",
    "to": "dtype= for a precision when its layers are made; there is one device, the processor",
}
"""A method of PyTorch's modules -> what does it here."""


def attribute_error(what: str, name: str, instead: str | None) -> AttributeError:
    """The error for an attribute that `what` does not have; `instead` is what to use."""
    if name.startswith("_"):
        return AttributeError(f"{what} has no {name!r}")
    return AttributeError(f"{what} has no {name!r}" + (f"; use {instead}" if instead else "") + "; see docs/nn.md")


def getter(
    place: str, namespace: Mapping[str, Any], theirs: Collection[str], instead: Mapping[str, str] | None = None
) -> Callable[[str], Any]:
    """A module's `__getattr__`, whose errors name what to use instead.

    place: what users call the module. namespace: its names. theirs: the names that PyTorch has there. instead: what to
    use, for names that PyTorch has elsewhere.
    """

    def missing(name: str) -> Any:
        here = RENAMED.get(name) or re.sub(r"(\d)d$", r"\1D", name)
        if here != name and here in namespace:
            raise AttributeError(f"{place}.{name} is called {here} here")
        if name in theirs:
            raise AttributeError(f"{place}.{name} is not in mazegrad; see docs/nn.md")
        if instead and name in instead:
            raise attribute_error(place, name, instead[name])
        near = [] if name.startswith("_") else get_close_matches(name, [n for n in namespace if n[0] != "_"], 1, LIKE)
        raise AttributeError(f"{place} has no {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))

    return missing
