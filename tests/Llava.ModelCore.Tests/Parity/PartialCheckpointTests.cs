using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>Adapters (case F), deltas (case E) and projectors (case G) opened with their bases are the models that the original's tools make of them.</summary>
public sealed class PartialCheckpointTests : IDisposable
{
    // Of the manifests: logits of F 2e-4, of E 1e-4; merged weights 1e-5; a delta's target is exact.
    private const double LogitTolerance = 2e-4;
    private const double WeightTolerance = 1e-5;

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope;

    public PartialCheckpointTests()
    {
        TorchLibrary.EnsureLoaded();
        _scope = NewDisposeScope();
    }

    private static string Adapter => FolderWith("F", "adapter_config.json");

    private static string Delta => Directory.EnumerateDirectories(FixtureFolder.Case("E")).Single(folder => folder.EndsWith("-delta", StringComparison.Ordinal));

    private static string Target => Delta[..^"delta".Length] + "target";

    private static string DeltaBase => Directory.EnumerateDirectories(FixtureFolder.Case("E"))
        .Single(folder => File.Exists(Path.Combine(folder, "config.json")) && !File.ReadAllText(Path.Combine(folder, "config.json")).Contains("mm_vision_tower", StringComparison.Ordinal));

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void An_adapter_is_merged_into_its_base_as_by_the_original()
    {
        using var expected = Expected("F");
        using var checkpoint = CheckpointFolder.Open(Adapter);
        var tensors = checkpoint.Tensors.ToDictionary(tensor => tensor.Entry.Name);
        foreach (var name in expected.Entries.Select(entry => entry.Name).Where(name => name.StartsWith("merged.", StringComparison.Ordinal)))
        {
            Close.Require(name, expected.Read(name), tensors[name["merged.".Length..]].Read(), WeightTolerance);
        }

        using var model = LlavaModelLoader.Load(checkpoint);
        var logits = Logits(model, expected);
        Close.Require("logits_merged_last4", expected.Read("logits_merged_last4"), logits.narrow(0, logits.shape[0] - 4, 4), LogitTolerance);
        Close.Require("logits_lora_unmerged", expected.Read("logits_lora_unmerged"), logits, LogitTolerance);
    }

    [Fact]
    public async Task An_adapter_answers_without_being_merged_by_hand()
    {
        using var expected = Expected("F");
        var tokens = expected.ReadArray<int>("greedy_ids_merged");
        await using var model = LoadedModel.Load(Adapter, new EngineOptions { KvCacheBytes = 16 << 20 });

        var answer = await model.AnswerAsync(new Question
        {
            Text = "Describe the image.",
            Images = [File.ReadAllBytes(Directory.EnumerateFiles(FixtureFolder.Case("F"), "image_0.*").Single())],
            Template = "llava_v1",
            Sampling = new SamplingSettings { MaxNewTokens = tokens.Length },
        });

        Assert.Equal(tokens.Take(answer.Sequence.Tokens.Count), answer.Sequence.Tokens);
        Assert.NotEmpty(answer.Sequence.Tokens);
    }

    [Fact]
    public void A_merged_adapter_is_written_as_a_whole_model()
    {
        using (var checkpoint = CheckpointFolder.Open(Adapter))
        {
            CheckpointCopy.Write(checkpoint, _folder.File("merged"), ScalarType.Float32);
        }

        using var expected = Expected("F");
        using var written = CheckpointFolder.Open(_folder.File("merged"));
        Assert.Null(written.BasePath);
        using var model = LlavaModelLoader.Load(written);
        var logits = Logits(model, expected);
        Close.Require("logits_merged_last4", expected.Read("logits_merged_last4"), logits.narrow(0, logits.shape[0] - 4, 4), LogitTolerance);
    }

    [Fact]
    public void A_delta_and_its_base_are_the_target_to_the_bit()
    {
        using var expected = TensorContainer.Open(TensorContainer.FindIn(Target)!);
        using var checkpoint = CheckpointFolder.Open(Delta, new CheckpointOptions { Base = DeltaBase });

        var fromDelta = checkpoint.Tensors.Where(tensor => !tensor.Parameter.Name.StartsWith(ModelParameters.VisionTower, StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(fromDelta);
        Assert.All(fromDelta, tensor => Assert.Equal(expected.Read(tensor.Entry.Name).bytes.ToArray(), tensor.Read().bytes.ToArray()));

        using var model = LlavaModelLoader.Load(checkpoint);
        using var tensors = Expected("E");
        Close.Require("logits", tensors.Read("logits"), Logits(model, tensors), 1e-4);
    }

    [Fact]
    public void A_delta_that_is_made_gives_its_model_again()
    {
        using (var target = CheckpointFolder.Open(Target))
        using (var below = CheckpointFolder.Open(DeltaBase))
        {
            CheckpointCopy.WriteDelta(target, below, _folder.File("delta"));
        }

        using var original = CheckpointFolder.Open(Target);
        using var again = CheckpointFolder.Open(_folder.File("delta"), new CheckpointOptions { Base = DeltaBase, VisionTowerFolder = original.VisionTowerFolder });
        foreach (var (left, right) in original.Tensors.Zip(again.Tensors))
        {
            // A difference of two halves is rounded, so their sum is the model's weight only to rounding.
            Close.Require(left.Entry.Name, left.Read().to(ScalarType.Float32), right.Read().to(ScalarType.Float32), 2e-3);
        }
    }

    [Fact]
    public void A_projector_is_put_on_the_base_that_its_config_names()
    {
        var folder = FolderWith("G", "mm_projector.bin");
        using var written = TensorContainer.Open(Path.Combine(folder, "mm_projector.bin"));
        using var checkpoint = CheckpointFolder.Open(folder);

        Assert.NotNull(checkpoint.BasePath);
        var projector = checkpoint.Tensors.Where(tensor => tensor.Parameter.Name.StartsWith(ModelParameters.Projector, StringComparison.Ordinal)).ToList();
        Assert.Equal(2, projector.Count);
        Assert.All(projector, tensor => Assert.Equal(written.Read(tensor.Entry.Name).bytes.ToArray(), tensor.Read().bytes.ToArray()));

        CheckpointCopy.WriteProjector(checkpoint, _folder.File("again.bin"));
        using var again = TensorContainer.Open(_folder.File("again.bin"));
        Assert.Equal(written.Entries.Select(entry => entry.Name).Order(), again.Entries.Select(entry => entry.Name).Order());
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        Assert.Contains("is a whole model and needs no base", Refusal(Target, DeltaBase));
        Assert.Contains("base '/nowhere' is not a folder", Refusal(Adapter, "/nowhere"));

        _folder.With(Adapter);
        Assert.Contains("for base model 'vicuna-tiny-base', not a whole model, and the base was not found", Refusal(_folder.Path, null));
        using var adapted = CheckpointFolder.Open(Adapter);
        _folder.Edit("adapter_config.json", json => json["use_dora"] = true);
        Assert.Contains("use_dora is true; it must be false: DoRA is not supported", Refusal(_folder.Path, adapted.BasePath));
        _folder.Edit("adapter_config.json", json => (json["use_dora"], json["r"]) = (false, 4));
        Assert.Contains("does not hold two factors of rank 4", Refusal(_folder.Path, adapted.BasePath));
        _folder.Edit("adapter_config.json", json => (json["r"], json["peft_type"]) = (8, "IA3"));
        Assert.Contains("peft_type is \"IA3\"", Refusal(_folder.Path, adapted.BasePath));
    }

    private static string Refusal(string folder, string? start) =>
        Assert.Throws<CheckpointException>(() => CheckpointFolder.Open(folder, new CheckpointOptions { Base = start })).Message;

    private static SafeTensorsFile Expected(string letter) => SafeTensorsFile.Open(Path.Combine(FixtureFolder.Case(letter), "expected.safetensors"));

    private static string FolderWith(string letter, string file) => Directory.EnumerateDirectories(FixtureFolder.Case(letter)).First(folder => File.Exists(Path.Combine(folder, file)));

    private static Tensor Logits(LlavaModel model, SafeTensorsFile expected)
    {
        using var inference = inference_mode();
        var images = model.EncodeImages(expected.Read("pixel_values")).unbind(0);
        var spliced = new PromptEmbedder(model.Language).Embed([.. expected.ReadArray<int>("input_ids")], images);
        var attention = new PaddedAttention(1, PaddedAttention.CausalMask(spliced.Length));
        return model.Language.Logits(model.Language.Forward(spliced.Embeddings, arange(Scalars.OfInteger(spliced.Length), ScalarType.Int64), spliced.Length, attention));
    }
}
