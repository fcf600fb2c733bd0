using System.Text.Json;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Native;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>
/// The whole way at once: image files and a question's text go in at the door that consumers use, and the greedy tokens of the
/// original implementation come out, all questions in one running batch.
/// </summary>
public sealed class AnswerParityTests
{
    /// <summary>Those with a tokenizer beside the weights; the cases' llava-hf folders have it in another format.</summary>
    public static TheoryData<string, string, RunnerKind> Checkpoints
    {
        get
        {
            TheoryData<string, string, RunnerKind> cases = [];
            foreach (var checkpoint in ModelCase.Where(model => TokenizerFolder.IsIn(model.Checkpoint.TokenizerFolder) && !model.IsHf))
            {
                cases.Add((string)checkpoint[0], (string)checkpoint[1], RunnerKind.Torch);
                cases.Add((string)checkpoint[0], (string)checkpoint[1], RunnerKind.Cpu);
            }

            return cases;
        }
    }

    [Theory, MemberData(nameof(Checkpoints))]
    public async Task Answers_from_image_files_and_text_are_those_of_the_original(string folder, string checkpoint, RunnerKind runner)
    {
        TorchLibrary.EnsureLoaded();
        await using var model = LoadedModel.Load(Path.Combine(folder, checkpoint), new EngineOptions { KvCacheBytes = 64 << 20, Runner = runner });
        using var expected = ModelCore.Checkpoints.SafeTensorsFile.Open(Path.Combine(folder, "expected.safetensors"));

        // A question is one turn; the cases' longer conversations are compared step by step in ModelParityTests.
        var asked = FixtureFolder.Json(folder, "prompts.json").EnumerateArray()
            .Where(prompt => prompt.GetProperty("messages").GetArrayLength() == 2)
            .Select(prompt => (Tokens: expected.ReadArray<int>($"{prompt.GetProperty("name").GetString()}.greedy_ids"), Prompt: prompt))
            .Select(one => (one.Tokens, Answer: model.AnswerAsync(Question(folder, one.Prompt, one.Tokens.Length))))
            .ToList();

        Assert.NotEmpty(asked);
        foreach (var (tokens, answering) in asked)
        {
            var sequence = (await answering).Sequence;
            Assert.Equal(tokens.Take(sequence.Tokens.Count), sequence.Tokens);
            Assert.True(sequence.Tokens.Count == tokens.Length || sequence.Reason == FinishReason.Stop, $"{sequence.Tokens.Count} of {tokens.Length} tokens, ended by {sequence.Reason}");
        }
    }

    private static Question Question(string folder, JsonElement prompt, int tokens) => new()
    {
        Text = prompt.GetProperty("messages")[0][1].GetString()!,
        Images = [.. prompt.GetProperty("images").EnumerateArray().Select(image => File.ReadAllBytes(Path.Combine(folder, image.GetString()!)))],
        Template = prompt.GetProperty("conv_template").GetString(),
        Sampling = new SamplingSettings { MaxNewTokens = tokens },
    };
}
