using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Kernels.Files;
using Llava.ModelCore.Quantization;
using Llava.Testing;

namespace Llava.ModelCore.Tests.Engine;

public sealed class MemoryFitTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static string Shipped => Repository.Path("models", "llava-scenes");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_is_estimated_is_what_a_loaded_model_takes()
    {
        foreach (var options in (EngineOptions[])[new(), new() { Quantize = QuantizationScheme.Int8 }, new() { Quantize = QuantizationScheme.Int4 }, new() { Quantize = QuantizationScheme.Nf4 }, new() { Quantize = QuantizationScheme.LlmInt8 }, new() { Runner = RunnerKind.Torch }])
        {
            var estimate = ModelMemory.Estimate(Shipped, options);
            await using var model = LoadedModel.Load(Shipped, options);
            Assert.Equal((estimate.Weights, estimate.KvCache, estimate.FeatureCache), (model.Memory.Weights, model.Memory.KvCache, model.Memory.FeatureCache));
            // The largest tensor is there while it is loaded, and not afterwards.
            Assert.True(model.Memory.Work < estimate.Work);
        }
    }

    [Fact]
    public void What_fits_is_taken_and_what_does_not_is_refused_with_its_figures_and_the_scheme_that_would()
    {
        var (none, int8, int4) = (Total(QuantizationScheme.None), Total(QuantizationScheme.Int8), Total(QuantizationScheme.Int4));
        Assert.True(int4 < int8 && int8 < none);
        MemoryFit.Require(Shipped, new EngineOptions(), none);

        var refused = Refusal(new EngineOptions(), none - 1);
        Assert.Contains($"takes {Megabytes(none)} (weights ", refused, StringComparison.Ordinal);
        Assert.Contains($"and {Megabytes(none - 1)} are free", refused, StringComparison.Ordinal);
        Assert.Contains($"With --quantize int8 (Llava:Engine:Quantize) it takes {Megabytes(int8)}, which fits.", refused, StringComparison.Ordinal);
        Assert.Contains($"With --quantize int4 (Llava:Engine:Quantize) it takes {Megabytes(int4)}, which fits.", Refusal(new EngineOptions(), int8 - 1), StringComparison.Ordinal);
        Assert.Contains($"Even with --quantize int4 it takes {Megabytes(int4)}. Lower Llava:Engine:KvCacheBytes", Refusal(new EngineOptions(), int4 - 1), StringComparison.Ordinal);
        Assert.Contains($"With --quantize int8", Refusal(new EngineOptions { Runner = RunnerKind.Torch }, none), StringComparison.Ordinal);
    }

    [Fact]
    public void Packed_weights_are_not_proposed_to_be_packed_again()
    {
        using (var original = CheckpointFolder.Open(Shipped))
        {
            PackedCheckpointWriter.Write(original, _folder.Path, QuantizationScheme.Int8);
        }

        Assert.Empty(MemoryFit.Smaller(_folder.Path, new EngineOptions()));
        var refused = Assert.Throws<ModelMemoryException>(() => MemoryFit.Require(_folder.Path, new EngineOptions(), 1_000_000));
        Assert.Contains("1 MB are free. Lower Llava:Engine:KvCacheBytes", refused.Message, StringComparison.Ordinal);
    }

    private static long Total(QuantizationScheme scheme) => ModelMemory.Estimate(Shipped, new EngineOptions { Quantize = scheme }).Total;

    private static string Refusal(EngineOptions options, long free) => Assert.Throws<ModelMemoryException>(() => MemoryFit.Require(Shipped, options, free)).Message;

    private static string Megabytes(long bytes) => FormattableString.Invariant($"{bytes / 1e6:N0} MB");
}
