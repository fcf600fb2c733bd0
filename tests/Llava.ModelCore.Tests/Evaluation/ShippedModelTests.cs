using Llava.ModelCore.Engine;
using Llava.ModelCore.Evaluation;
using Llava.ModelCore.Scenes;

namespace Llava.ModelCore.Tests.Evaluation;

/// <summary>The shipped model says what its card claims, through the engine, on scenes it never saw.</summary>
public sealed class ShippedModelTests
{
    [Fact]
    public async Task It_is_right_about_what_its_card_claims()
    {
        await using var model = LoadedModel.Load(Path.Combine(RepositoryFolder.Root, "models", "llava-scenes"));

        var result = await SceneBenchmark.RunAsync(model, scenes: 60, maxObjects: 3, side: 160);

        // Sixty scenes measure to about ±6 points; the card has the figures of two thousand.
        Assert.InRange(Share(result, SceneQuestionKind.Shape), 0.90, 1);
        Assert.InRange(Share(result, SceneQuestionKind.Background), 0.95, 1);
        Assert.InRange(Share(result, SceneQuestionKind.DetailedCaption), 0.85, 1);
        Assert.InRange(result.CaptionRecall, 0.90, 1);
    }

    private static double Share(SceneBenchmarkResult result, SceneQuestionKind kind) =>
        (double)result.ByKind[kind].Right / result.ByKind[kind].Asked;
}
