using Llava.ModelCore.Engine;
using Llava.ModelCore.Grammars;
using Llava.ModelCore.Scenes;

namespace Llava.Benchmarks.Model;

/// <summary>What holding answers to a form costs per token, beside free answers of as many tokens in the same batch sizes.</summary>
internal static class BoundAnswers
{
    private const int Tokens = 96;
    private const int AtOnce = 8;

    private static readonly (string Name, Grammar Grammar)[] Forms =
    [
        ("regex", Grammar.OfRegex("[a-z ,.]{2000}")),
        ("text in JSON", Grammar.OfJsonSchema("""{"type":"object","properties":{"caption":{"type":"string","minLength":2000}},"required":["caption"]}""")),
        ("list of objects", Grammar.OfJsonSchema("""{"type":"array","minItems":200,"items":{"type":"object","properties":{"color":{"enum":["red","green","blue"]},"count":{"type":"integer","minimum":0,"maximum":99},"name":{"type":"string","maxLength":20}},"required":["color","count","name"]}}""")),
    ];

    /// <param name="folder">The model's folder.</param>
    /// <param name="answers">Answers of each round.</param>
    /// <param name="rounds">Rounds, of which the fastest counts.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async Task RunAsync(string folder, int answers, int rounds, CancellationToken cancellation)
    {
        await using var model = LoadedModel.Load(folder);
        var image = ScenePixels.Png(Scene.FromSeed(Scene.FirstHeldOutSeed, maxObjects: 3), 160);
        await MeasureAsync(model, image, null, AtOnce, cancellation);
        foreach (var (name, grammar) in Forms)
        {
            await MeasureAsync(model, image, grammar, AtOnce, cancellation);
            List<(double Free, double Bound)> measured = [];
            for (var round = 0; round < rounds; round++)
            {
                // In turns, so that what else the machine does meets both.
                measured.Add((await MeasureAsync(model, image, null, answers, cancellation), await MeasureAsync(model, image, grammar, answers, cancellation)));
            }

            // What else the machine does can only make a round slower, by more than what is measured here: the fastest of each are compared.
            var (free, bound) = (measured.Min(pair => pair.Free), measured.Min(pair => pair.Bound));
            Figures.Write($"answers in a form: {name}", new
            {
                Answers = answers,
                Tokens,
                AtOnce,
                Rounds = rounds,
                MicrosecondsPerTokenFree = free * 1e6,
                MicrosecondsPerToken = bound * 1e6,
                ExtraPercent = 100 * ((bound / free) - 1),
                ExtraPercentOfRounds = measured.Select(pair => Math.Round(100 * ((pair.Bound / pair.Free) - 1), 1)).Order(),
            });
        }
    }

    /// <summary>Seconds of decoding per token.</summary>
    private static async Task<double> MeasureAsync(LoadedModel model, byte[] image, Grammar? grammar, int answers, CancellationToken cancellation)
    {
        var before = model.Statistics;
        foreach (var block in Enumerable.Range(0, answers).Chunk(AtOnce))
        {
            await Task.WhenAll(block.Select(seed => model.AnswerAsync(
                new Question
                {
                    Text = "Describe this image.",
                    Images = [image],
                    Grammar = grammar,
                    // Both run to the last token: the free answer may not end, and the form takes longer.
                    Sampling = new() { MaxNewTokens = Tokens, MinNewTokens = Tokens, Temperature = 1, Seed = seed },
                },
                cancellation)));
        }

        var after = model.Statistics;
        return (after.DecodeTime - before.DecodeTime).TotalSeconds / (after.DecodeTokens - before.DecodeTokens);
    }
}
