using System.Text.Json;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>The processors against those of the transformers library (fixture I).</summary>
public sealed class SamplingParityTests
{
    private const float ProbabilityTolerance = 1e-6f;

    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach (var folder in FixtureFolder.Cases("I"))
        {
            foreach (var name in Settings(folder).Keys)
            {
                data.Add(folder, name);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Probabilities_and_kept_tokens_equal_the_original(string folder, string name)
    {
        using var file = SafeTensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        var (rows, vocabulary) = ((int)file.Entry("logits").Shape[0], (int)file.Entry("logits").Shape[1]);
        var history = (int)file.Entry("input_ids").Shape[1];
        var logits = file.ReadArray<float>("logits");
        var ids = file.ReadArray<int>("input_ids");
        var probabilities = file.ReadArray<float>(name + ".probs");
        var kept = file.ReadArray<byte>(name + ".kept");
        var sampler = new Sampler();
        for (var row = 0; row < rows; row++)
        {
            var range = new Range(row * vocabulary, (row + 1) * vocabulary);
            var scores = logits[range];
            sampler.Warp(scores, ids.AsSpan(row * history, history), Settings(folder)[name]);
            AssertSameRow(logits[range], scores, probabilities[range], kept[range]);
        }
    }

    private static void AssertSameRow(float[] logits, float[] scores, float[] probabilities, byte[] kept)
    {
        var actual = new float[scores.Length];
        Sampler.Softmax(scores, actual);
        Assert.Equal(kept.Count(k => k == 1), scores.Count(float.IsFinite));
        for (var i = 0; i < scores.Length; i++)
        {
            // Which of exactly tied tokens survives is a detail of the sort.
            var isTied = logits.Count(l => l == logits[i]) > 1;
            if (!isTied)
            {
                Assert.Equal(kept[i] == 1, float.IsFinite(scores[i]));
                Assert.InRange(actual[i], probabilities[i] - ProbabilityTolerance, probabilities[i] + ProbabilityTolerance);
            }
        }

        // Tied tokens may stand in for each other, so probabilities are compared as a multiset too.
        foreach (var (expected, found) in probabilities.Order().Zip(actual.Order()))
        {
            Assert.InRange(found, expected - ProbabilityTolerance, expected + ProbabilityTolerance);
        }
    }

    private static Dictionary<string, SamplingSettings> Settings(string folder) => FixtureFolder.Json(folder, "manifest.json")
        .GetProperty("run").GetProperty("cases").EnumerateArray().ToDictionary(
            c => c.GetProperty("name").GetString()!,
            c => new SamplingSettings
            {
                Temperature = c.GetProperty("temperature").GetDouble(),
                TopP = c.GetProperty("top_p").GetDouble(),
                TopK = c.GetProperty("top_k").GetInt32(),
                RepetitionPenalty = c.GetProperty("repetition_penalty").GetDouble(),
            });
}
