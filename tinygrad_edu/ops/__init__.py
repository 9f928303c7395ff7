"""The op table, in four packages. Each file holds a family of operations, and lists the public ones in `__all__`.

The imports go from the lowest layer up, so that they do not nest: a deeper stack made importing this package 5% slower.
"""

from .numbers.exponential import *
from .numbers.arithmetic import *
from .numbers.length import *
from .numbers.choosing import *
from .numbers.error_function import *
from .numbers.rounding import *
from .numbers.trigonometric import *
from .numbers.activation import *
from .arrays.plain import *
from .arrays.shape import *
from .arrays.joining import *
from .arrays.interpolation import *
from .arrays.reduction import *
from .arrays.cumulative import *
from .arrays.difference import *
from .arrays.quantile import *
from .arrays.repeating import *
from .arrays.selecting import *
from .arrays.rearranging import *
from .arrays.splitting import *
from .arrays.statistics import *
from .arrays.nan import *
from .arrays.updates import *
from .matrices.parts import *
from .matrices.products import *
from .matrices.contraction import *
from .matrices.inverses import *
from .matrices.decomposition import *
from .matrices.determinant import *
from .matrices.eigenvalues import *
from .matrices.singular_values import *
from .matrices.least_squares import *
from .matrices.norm import *
from .matrices.vectors import *
from .networks.log_sums import *
from .networks.neural import *
from .networks.normalization import *
from .networks.signals import *
from .networks.convolution import *
from .networks.pooling import *
from .networks.columns import *
