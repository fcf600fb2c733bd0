using Llava.ModelCore.Engine;
using Llava.ModelCore.Evaluation;
using Llava.ModelCore.Scenes;
using Llava.Testing;

namespace Llava.ModelCore.Tests.Evaluation;

/// <summary>The shipped model says what its card claims, through the engine, on scenes it never saw.</summary>
public sealed class ShippedModelTests
{
    [Fact]
    public async Task It_is_right_about_what_its_card_claims()
    {
        await using var model = LoadedModel.Load(Repository.Path("models", "llava-scenes"));

        var result = await SceneBenchmark.RunAsync(model, scenes: 60, maxObjects: 3, side: 160);

        // Sixty scenes measure to about ±4 points; the card has the figures of two thousand.
        Assert.All(result.ByKind.Keys.Except([SceneQuestionKind.Caption, SceneQuestionKind.Relation]), kind => Assert.InRange(Share(result, kind), 0.94, 1));
        Assert.InRange(Share(result, SceneQuestionKind.Relation), 0.88, 1);
        Assert.InRange(result.CaptionRecall, 0.97, 1);
    }

    private static double Share(SceneBenchmarkResult result, SceneQuestionKind kind) =>
        (double)result.ByKind[kind].Right / result.ByKind[kind].Asked;
}
