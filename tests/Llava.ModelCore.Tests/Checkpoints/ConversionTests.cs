using System.Text.Json;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Checkpoints.HuggingFace;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Native;
using Llava.ModelCore.Tests.Parity;

namespace Llava.ModelCore.Tests.Checkpoints;

/// <summary>The same weights in the original layout and in llava-hf's.</summary>
public sealed class ConversionTests : IDisposable
{
    private static readonly string Case = FixtureFolder.Case("B");

    private readonly TemporaryFolder _folder = new();

    static ConversionTests() => TorchLibrary.EnsureLoaded();

    private static string Original => Directory.EnumerateDirectories(Case, "llava-*").Single();

    private static string HuggingFace => Path.Combine(Case, "hf_old");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void There_and_back_every_weight_has_the_same_bits_and_the_model_the_same_rules()
    {
        using var before = CheckpointFolder.Open(Original);

        Convert(Original, "hf", CheckpointConversion.ToHuggingFace);
        Convert(_folder.File("hf"), "back", CheckpointConversion.ToOriginal);

        using var after = CheckpointFolder.Open(_folder.File("back"));
        RequireSameWeights(before, after);
        Assert.Equal(CheckpointLayout.LlavaOriginal, after.Layout);
        Assert.Equal(before.Config.LanguageModel, after.Config.LanguageModel);
        Assert.Equal(before.Config.Projector, after.Config.Projector);
        Assert.Equal((before.Config.ImageAspect, before.Config.MaxSplicedPositions), (after.Config.ImageAspect, after.Config.MaxSplicedPositions));
        Assert.Equal((before.Generation.BeginToken, before.Generation.PadToken), (after.Generation.BeginToken, after.Generation.PadToken));
        Assert.False(File.Exists(_folder.File("back/added_tokens.json")));
        var roles = FixtureFolder.Json(_folder.File("back"), "special_tokens_map.json");
        Assert.Equal(roles.GetProperty("unk_token").GetRawText(), roles.GetProperty("pad_token").GetRawText());
    }

    [Fact]
    public void The_published_conversion_read_back_has_the_bits_of_the_original()
    {
        Convert(HuggingFace, "original", CheckpointConversion.ToOriginal);

        using var expected = CheckpointFolder.Open(Original);
        using var converted = CheckpointFolder.Open(_folder.File("original"));
        RequireSameWeights(expected, converted);
    }

    [Theory]
    [InlineData("A")]
    [InlineData("C")]
    [InlineData("D")]
    public void A_tower_that_was_published_apart_keeps_its_type(string name)
    {
        var folder = Directory.EnumerateDirectories(FixtureFolder.Case(name), "llava-*").Single();
        Convert(folder, "original", CheckpointConversion.ToOriginal);

        using var expected = CheckpointFolder.Open(folder);
        using var converted = CheckpointFolder.Open(_folder.File("original"));
        RequireSameWeights(expected, converted);
    }

    [Fact]
    public void Names_types_and_shapes_are_those_of_the_published_conversion()
    {
        Convert(Original, "hf", CheckpointConversion.ToHuggingFace);

        using var expected = CheckpointFolder.Open(HuggingFace);
        using var written = CheckpointFolder.Open(_folder.File("hf"));
        Assert.Equal(CheckpointLayout.HfOld, written.Layout);
        Assert.Equal(expected.Tensors.Select(Described), written.Tensors.Select(Described));
        Assert.Equal((expected.ImageTokenId, expected.GeneratableVocabulary, expected.StorageType), (written.ImageTokenId, written.GeneratableVocabulary, written.StorageType));
        Assert.Equal(FixtureFolder.Json(HuggingFace, "added_tokens.json").GetRawText().Where(c => !char.IsWhiteSpace(c)), FixtureFolder.Json(_folder.File("hf"), "added_tokens.json").GetRawText().Where(c => !char.IsWhiteSpace(c)));

        static string Described(CheckpointTensor tensor) => $"{tensor.Entry.Name} {tensor.Entry.Type} {string.Join('×', tensor.Entry.Shape)}";
    }

    [Fact]
    public async Task Answers_of_the_converted_model_are_those_of_the_original()
    {
        Convert(Original, "hf", CheckpointConversion.ToHuggingFace);
        Convert(_folder.File("hf"), "back", CheckpointConversion.ToOriginal);
        var questions = FixtureFolder.Json(Case, "prompts.json").EnumerateArray().Where(prompt => prompt.GetProperty("messages").GetArrayLength() == 2).Select(Question).ToList();

        var expected = await AnswersAsync(Original, questions);

        Assert.NotEmpty(expected);
        Assert.Equal(expected, await AnswersAsync(_folder.File("hf"), questions));
        Assert.Equal(expected, await AnswersAsync(_folder.File("back"), questions));
    }

    [Theory]
    [InlineData("A", "a projector of 1 layers")]
    [InlineData("D", "an MPT decoder")]
    public void A_model_that_the_layout_has_no_place_for_is_refused_before_anything_is_written(string name, string why)
    {
        using var checkpoint = CheckpointFolder.Open(Directory.EnumerateDirectories(FixtureFolder.Case(name), "llava-*").Single());

        Assert.Contains(why, Assert.Throws<CheckpointException>(() => CheckpointConversion.ToHuggingFace(checkpoint, _folder.File("hf"))).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("hf")));
    }

    [Fact]
    public void Weights_that_are_there_are_never_written_over()
    {
        using var checkpoint = CheckpointFolder.Open(Original);

        Assert.Contains("already holds weights", Assert.Throws<CheckpointException>(() => CheckpointConversion.ToHuggingFace(checkpoint, HuggingFace)).Message, StringComparison.Ordinal);
    }

    private static Question Question(JsonElement prompt) => new()
    {
        Text = prompt.GetProperty("messages")[0][1].GetString()!,
        Images = [.. prompt.GetProperty("images").EnumerateArray().Select(image => File.ReadAllBytes(Path.Combine(Case, image.GetString()!)))],
        Template = prompt.GetProperty("conv_template").GetString(),
        Sampling = new SamplingSettings { MaxNewTokens = 12 },
    };

    private static async Task<List<string>> AnswersAsync(string folder, List<Question> questions)
    {
        await using var model = LoadedModel.Load(folder, new EngineOptions { KvCacheBytes = 64 << 20, Runner = RunnerKind.Torch });
        List<string> answers = [];
        foreach (var question in questions)
        {
            answers.Add(string.Join(' ', (await model.AnswerAsync(question)).Sequence.Tokens));
        }

        return answers;
    }

    private static void RequireSameWeights(CheckpointFolder expected, CheckpointFolder actual)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        Assert.Equal(expected.Tensors.Select(tensor => tensor.Parameter.Name), actual.Tensors.Select(tensor => tensor.Parameter.Name));
        var others = actual.Tensors.ToDictionary(tensor => tensor.Parameter.Name);
        Assert.All(expected.Tensors, tensor => Assert.True(tensor.Read().bytes.SequenceEqual(others[tensor.Parameter.Name].Read().bytes), tensor.Parameter.Name));
    }

    private void Convert(string from, string to, Action<CheckpointFolder, string, TorchSharp.torch.ScalarType?> write)
    {
        using var checkpoint = CheckpointFolder.Open(from);
        write(checkpoint, _folder.File(to), null);
    }
}
