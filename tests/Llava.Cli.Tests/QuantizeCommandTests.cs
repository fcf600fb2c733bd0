using Llava.Cli.Commands;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Quantization;

namespace Llava.Cli.Tests;

public sealed class QuantizeCommandTests
{
    [Theory]
    [InlineData("llava-scenes", "Give the folder of the new checkpoint, or --report.")]
    [InlineData("llava-scenes out --scheme none", "--scheme none is the checkpoint as it is")]
    [InlineData("llava-scenes out --scheme fp8", "--scheme fp8 is made while a model is loaded on a CUDA device")]
    [InlineData("llava-scenes out --scheme int3", "int3")]
    [InlineData("llava-scenes --report --scenes 0", "1 or more")]
    public void What_cannot_be_done_is_refused_before_anything_is_read(string arguments, string says) =>
        Assert.Contains(says, string.Join(" ", QuantizeCommand.Create().Parse(arguments).Errors.Select(error => error.Message)), StringComparison.Ordinal);

    [Fact]
    public async Task A_checkpoint_is_written_in_the_scheme_that_was_asked_for_and_never_over_another()
    {
        var folder = Directory.CreateTempSubdirectory("llava-test-");
        try
        {
            string[] arguments = ["llava-scenes", folder.FullName, "--scheme", "int4"];
            Assert.Equal(ExitCodes.Ok, await QuantizeCommand.Create().Parse(arguments).InvokeAsync());
            using (var written = CheckpointFolder.Open(folder.FullName))
            {
                Assert.Equal(QuantizationScheme.Int4, written.Packed!.Scheme);
            }

            Assert.Equal(ExitCodes.CannotReachOrLoad, await QuantizeCommand.Create().Parse(arguments).InvokeAsync());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
