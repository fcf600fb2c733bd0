using System.Globalization;
using Llava.Contracts.Requests;
using Llava.Ledger.Scores;

namespace Llava.Ledger.Promotions;

/// <summary>Whether a new model is good enough to take a name over.</summary>
public static class PromotionGate
{
    /// <summary>Compares what two models answered to the same questions.</summary>
    /// <param name="request">What is asked of the new one.</param>
    /// <param name="made">Its score.</param>
    /// <param name="before">That of the model which the name stands for.</param>
    public static PromotionVerdict Judge(PromotionRequest request, JobScore made, JobScore before)
    {
        var taught = request.AtLeast.OrderBy(rule => rule.Key, StringComparer.Ordinal).Select(rule => (rule.Key, Least: rule.Value, Share: Of(made, category => category == rule.Key))).ToList();
        var (known, was) = (Of(made, IsOther), Of(before, IsOther));
        List<string> broken =
        [
            .. taught.Where(rule => rule.Share is null).Select(rule => $"no question of category '{rule.Key}' was answered"),
            .. taught.Where(rule => rule.Share < rule.Least).Select(rule => $"{rule.Key} is {Percent(rule.Share)} right, and at least {Percent(rule.Least)} is asked for"),
            .. known < was - request.LoseAtMost ? [$"the other answers are {Percent(known)} right where they were {Percent(was)}, and at most {Percent(request.LoseAtMost)} may be lost"] : Array.Empty<string>(),
        ];
        return broken.Count > 0
            ? new(false, string.Join("; ", broken))
            : new(true, string.Join("; ", [.. taught.Select(rule => $"{rule.Key} is {Percent(rule.Share)} right"), .. known is null ? [] : new[] { $"the other answers are {Percent(known)} right and were {Percent(was)}" }]));

        bool IsOther(string category) => !request.AtLeast.ContainsKey(category);
    }

    /// <summary>Share of right answers over some categories; null where none of their questions was answered.</summary>
    private static double? Of(JobScore score, Func<string, bool> isOne)
    {
        var some = (score.Categories.Count == 0 ? [new CategoryScore("", score.Scored, score.Right)] : score.Categories).Where(category => isOne(category.Category)).ToList();
        var scored = some.Sum(category => category.Scored);
        return scored == 0 ? null : (double)some.Sum(category => category.Right) / scored;
    }

    private static string Percent(double? share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0} %");
}

/// <summary>What became of a promotion.</summary>
/// <param name="Holds">Whether the name moves.</param>
/// <param name="Reason">Why, with the figures.</param>
public sealed record PromotionVerdict(bool Holds, string Reason);
