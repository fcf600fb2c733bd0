using Llava.Contracts.Requests;
using Llava.Ledger.Promotions;
using Llava.Ledger.Scores;

namespace Llava.Ledger.Tests.Training;

public sealed class PromotionGateTests
{
    private static readonly PromotionRequest Request = new()
    {
        Name = "best",
        Evaluate = new() { Model = "m", Expected = "answer", Source = new() { Kind = SourceKind.Folder, Path = "/x" } },
        AtLeast = new Dictionary<string, double> { ["new"] = 0.95 },
    };

    [Theory]
    [InlineData(95, 980, true)] // one point lost over the others together
    [InlineData(94, 990, false)]
    [InlineData(99, 979, false)]
    [InlineData(94, 979, false)]
    public void It_holds_where_what_is_taught_is_learnt_and_little_else_is_lost(int taught, int known, bool holds)
    {
        var verdict = PromotionGate.Judge(Request, Score(("new", 100, taught), ("a", 500, known - 490), ("b", 500, 490)), Score(("new", 100, 0), ("a", 500, 500), ("b", 500, 490)));

        Assert.Equal(holds, verdict.Holds);
        Assert.Equal(holds || taught < 95, verdict.Reason.Contains($"new is {taught}.0 % right", StringComparison.Ordinal));
        Assert.Equal(holds || known < 980, verdict.Reason.Contains($"{known / 10.0:0.0} %", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_categories_all_answers_together_must_not_fall()
    {
        var request = Request with { AtLeast = new Dictionary<string, double>() };

        Assert.True(PromotionGate.Judge(request, new(100, 90, []), new(100, 91, [])).Holds);
        Assert.False(PromotionGate.Judge(request, new(100, 89, []), new(100, 91, [])).Holds);
    }

    [Fact]
    public void A_category_that_nobody_asked_about_does_not_hold()
    {
        var verdict = PromotionGate.Judge(Request, Score(("a", 10, 10)), Score(("a", 10, 10)));

        Assert.Equal((false, "no question of category 'new' was answered"), (verdict.Holds, verdict.Reason));
    }

    private static JobScore Score(params (string Category, long Scored, long Right)[] categories) =>
        new(categories.Sum(one => one.Scored), categories.Sum(one => one.Right), [.. categories.Select(one => new CategoryScore(one.Category, one.Scored, one.Right))]);
}
