using Llava.Cli.Commands;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Kernels.Files;
using Llava.ModelCore.Quantization;

namespace Llava.Cli.Tests;

public sealed class ModelsCommandTests
{
    private static string Shipped => ModelFolders.Resolve("llava-scenes");

    [Fact]
    public void Inspecting_says_what_each_scheme_takes_and_whether_it_fits_here()
    {
        using var checkpoint = CheckpointFolder.Open(Shipped);
        var sizes = MemoryFit.Schemes(checkpoint, EngineArguments.Options());
        var int8 = sizes.Single(one => one.Scheme == QuantizationScheme.Int8).Memory;

        var lines = ModelsCommand.Memory(checkpoint, int8.Total).ToDictionary(line => line.Name, line => line.Value);

        Assert.Equal(["memory", .. QuantizationSchemes.OnCpu.Select(scheme => $"  {scheme.Word()}")], lines.Keys);
        Assert.Contains("MB are free here", lines["memory"], StringComparison.Ordinal);
        Assert.Equal($"{int8}, which fits", lines["  int8"]);
        Assert.Equal($"{ModelMemory.Estimate(Shipped, EngineArguments.Options())}, which does not fit", lines["  none"]);
    }

    [Fact]
    public void A_packed_model_takes_what_its_own_scheme_does()
    {
        var folder = Directory.CreateTempSubdirectory("llava-test-");
        try
        {
            using (var original = CheckpointFolder.Open(Shipped))
            {
                PackedCheckpointWriter.Write(original, folder.FullName, QuantizationScheme.LlmInt8);
            }

            using var packed = CheckpointFolder.Open(folder.FullName);
            Assert.Equal(["memory", "  llmint8"], ModelsCommand.Memory(packed, long.MaxValue).Select(line => line.Name));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
