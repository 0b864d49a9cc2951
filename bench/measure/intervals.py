"""The statistic: a median, an interval that covers it whatever the distribution is, and what that says of a target."""
import math
import statistics

LEVEL = 0.95


def median_interval(values, level=LEVEL):
    """(median, low, high, coverage): the narrowest pair of order statistics, the same number from either end, that
    covers the true median with at least `level`. Few values cannot: then it is their extremes, and `coverage` says
    less."""
    ordered = sorted(values)
    count = len(ordered)
    below = 0.0  # the probability that at most `rank - 1` values lie under the median
    rank, coverage = 1, 1 - 2 * 0.5 ** count
    for candidate in range(1, count // 2 + 1):
        below += math.comb(count, candidate - 1) * 0.5 ** count
        if 1 - 2 * below < level:
            break
        rank, coverage = candidate, 1 - 2 * below
    return statistics.median(ordered), ordered[rank - 1], ordered[count - rank], max(0.0, coverage)


def verdict(wanted, low, high, coverage, level=LEVEL):
    """"met", "missed" or "not decided". `wanted` is ("<=" or ">=", target); None: no word."""
    if wanted is None:
        return ""
    if coverage < level:
        return "not decided"
    relation, target = wanted
    if relation == ">=":
        low, high, target = -high, -low, -target
    if high <= target:
        return "met"
    return "missed" if low > target else "not decided"
