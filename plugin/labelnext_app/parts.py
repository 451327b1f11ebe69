"""All that the plugin registers, when labelnext is installed."""

from .compare import CompareRankings
from .manage import ManageRuns
from .panel import LabelNext
from .rank import RankSamples

PARTS = (RankSamples, CompareRankings, ManageRuns, LabelNext)
