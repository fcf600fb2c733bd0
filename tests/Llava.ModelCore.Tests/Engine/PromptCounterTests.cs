using Llava.ModelCore.Engine;
using Llava.ModelCore.Scenes;
using Llava.Testing;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>Counting a question's tokens without the model's weights.</summary>
public sealed class PromptCounterTests
{
    [Theory]
    [InlineData("What color is the circle?", 0, null)]
    [InlineData("What color is the circle?", 1, null)]
    [InlineData("Is <image> like <image>?", 2, null)]
    [InlineData("How many objects are there?", 1, "vicuna_v1")]
    public async Task It_counts_what_the_engine_is_given(string text, int images, string? template)
    {
        var folder = Repository.Path("models", "llava-scenes");
        var counter = PromptCounter.Open(folder);
        await using var model = LoadedModel.Load(folder, new EngineOptions { KvCacheBytes = 64 << 20, MaxSlots = 1 });
        var picture = ScenePixels.Png(Scene.FromSeed(Scene.FirstHeldOutSeed, maxObjects: 1), 64);

        var answer = await model.AnswerAsync(new Question { Text = text, Images = [.. Enumerable.Repeat(picture, images)], Template = template, Sampling = new() { MaxNewTokens = 1 } });

        Assert.Equal(answer.Sequence.Usage.PromptTokens, counter.CountText(text, images, template) + (images * counter.ImageTokens));
    }
}
