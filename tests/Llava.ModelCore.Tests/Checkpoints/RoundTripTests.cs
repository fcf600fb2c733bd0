using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using Llava.ModelCore.Tests.Parity;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Checkpoints;

public sealed class RoundTripTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    static RoundTripTests() => Native.TorchLibrary.EnsureLoaded();

    public static TheoryData<string, string> Checkpoints => ModelCase.Where(_ => true);

    [Theory, MemberData(nameof(Checkpoints))]
    public void A_model_written_in_the_original_layout_loads_as_the_same_model(string folder, string name)
    {
        using var scope = NewDisposeScope();
        using var original = CheckpointFolder.Open(Path.Combine(folder, name));
        using var model = LlavaModelLoader.Load(original);
        foreach (var placement in Enum.GetValues<VisionTowerPlacement>().Where(p => p != VisionTowerPlacement.Omitted || original.Config.VisionTowerName is not null))
        {
            var target = _folder.File(placement.ToString());
            LlavaModelSaver.Save(model, target, new CheckpointWriteOptions
            {
                StorageType = original.StorageType,
                VisionTower = placement,
                TokenizerFolder = original.TokenizerFolder,
                Generation = original.Generation,
                ShardBytes = original.Tensors.Sum(t => t.Entry.Bytes) / 3,
            });
            using var written = CheckpointFolder.Open(target, new CheckpointOptions
            {
                VisionTowerFolder = placement == VisionTowerPlacement.Omitted ? original.VisionTowerFolder : null,
            });
            RequireSame(original, written);
            using var loaded = LlavaModelLoader.Load(written);
            RequireSame(model, loaded);
            Assert.True(File.Exists(Path.Combine(target, "model.safetensors.index.json")));
            Assert.True(File.Exists(Path.Combine(target, "tokenizer.model")) || File.Exists(Path.Combine(target, "tokenizer.json")));
        }
    }

    [Fact]
    public void The_projector_that_stage_one_wrote_is_overlaid_strictly()
    {
        using var scope = NewDisposeScope();
        var cases = FixtureFolder.Cases("G").SelectMany(Directory.EnumerateDirectories).Where(f => File.Exists(Path.Combine(f, "mm_projector.bin"))).ToList();
        Assert.NotEmpty(cases);
        foreach (var path in cases.Select(f => Path.Combine(f, "mm_projector.bin")))
        {
            using var source = TensorContainer.Open(path);
            var weight = source.Read(source.Entries.Single(e => e.Name.EndsWith("mm_projector.weight", StringComparison.Ordinal)).Name);
            using var model = WithProjector(weight.shape[1], weight.shape[0], depth: 1);
            LlavaModelLoader.LoadProjector(model, path);
            Assert.True(LlavaModelLoader.Named(model)["projector.layers.0.weight"].equal(weight).all().item<bool>());

            using var other = WithProjector(weight.shape[1], weight.shape[0], depth: 2);
            Assert.Contains("'mm_projector.0.weight' must have shape", Assert.Throws<CheckpointException>(() => LlavaModelLoader.LoadProjector(other, path)).Message);
            using var wider = WithProjector(weight.shape[1] + 1, weight.shape[0], depth: 1);
            Assert.Contains($"found [{weight.shape[0]}, {weight.shape[1]}]", Assert.Throws<CheckpointException>(() => LlavaModelLoader.LoadProjector(wider, path)).Message);
        }
    }

    [Theory]
    [InlineData("mm_projector.bin", 1)]
    [InlineData("mm_projector.bin", 2)]
    [InlineData("mm_projector.safetensors", 3)]
    public void A_projector_written_alone_is_read_back(string file, int depth)
    {
        using var scope = NewDisposeScope();
        using var model = WithProjector(6, 4, depth);
        using var other = WithProjector(6, 4, depth);
        foreach (var parameter in LlavaModelLoader.Named(model).Values)
        {
            nn.init.normal_(parameter);
        }

        LlavaModelSaver.SaveProjector(model, _folder.File(file), ScalarType.Float32);
        LlavaModelLoader.LoadProjector(other, _folder.File(file));
        var (expected, actual) = (LlavaModelLoader.Named(model), LlavaModelLoader.Named(other));
        Assert.All(ModelParameters.OfProjector(model.Config.Projector!), p => Assert.True(expected[p.Name].equal(actual[p.Name]).all().item<bool>()));
        using var source = TensorContainer.Open(_folder.File(file));
        Assert.All(source.Entries, e => Assert.StartsWith("model.mm_projector.", e.Name));
    }

    public void Dispose() => _folder.Dispose();

    private static LlavaModel WithProjector(long input, long output, int depth) => new(new LlavaConfig
    {
        LanguageModel = new LanguageModelConfig { VocabularySize = 8, HiddenSize = (int)output, IntermediateSize = 4, Layers = 1, Heads = 1, KeyValueHeads = 1 },
        Projector = new ProjectorConfig { InputSize = (int)input, OutputSize = (int)output, Depth = depth },
    });

    private static void RequireSame(CheckpointFolder expected, CheckpointFolder actual)
    {
        Assert.Equal(CheckpointLayout.LlavaOriginal, actual.Layout);
        Assert.Equal(expected.Config.LanguageModel, actual.Config.LanguageModel);
        Assert.Equal(expected.Config.Projector, actual.Config.Projector);
        Assert.Equal(expected.Config.ImageAspect, actual.Config.ImageAspect);
        Assert.Equal(expected.Config.MaxSplicedPositions, actual.Config.MaxSplicedPositions);
        Assert.Equal((expected.Config.UseImageStartEnd, expected.Config.UseImagePatchToken), (actual.Config.UseImageStartEnd, actual.Config.UseImagePatchToken));
        var (vision, written) = (expected.Config.Vision!, actual.Config.Vision!);
        Assert.Equal((vision.LayersUsed, vision.Features), (written.LayersUsed, written.Features));
        Assert.Equal(vision with { Layers = 0, SelectLayer = 0 }, written with { Layers = 0, SelectLayer = 0 });
        Assert.Equal(expected.StorageType, actual.StorageType);
        Assert.Equal(expected.ContextLength, actual.ContextLength);
        Assert.Equal(expected.Generation.EndTokens, actual.Generation.EndTokens);
        Assert.Equal((expected.Generation.BeginToken, expected.Generation.PadToken), (actual.Generation.BeginToken, actual.Generation.PadToken));
    }

    private static void RequireSame(LlavaModel expected, LlavaModel actual)
    {
        var (all, others) = (LlavaModelLoader.Named(expected), LlavaModelLoader.Named(actual));
        Assert.Equal(all.Keys.Order(StringComparer.Ordinal), others.Keys.Order(StringComparer.Ordinal));
        // Towers beside are kept in the checkpoint's type; these fixtures' weights all fit it or are compared after rounding to it.
        Assert.All(all, p => Assert.True(p.Value.to(ScalarType.Float16).equal(others[p.Key].to(ScalarType.Float16)).all().item<bool>(), p.Key));
    }
}
