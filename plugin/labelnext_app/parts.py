"""Everything the plugin registers if labelnext is installed."""

from .compare import CompareRankings
from .exchange import FetchAnnotations, SendBatch
from .manage import ManageRuns
from .panel import LabelNext
from .rank import RankSamples

PARTS = (RankSamples, CompareRankings, ManageRuns, SendBatch, FetchAnnotations, LabelNext)
