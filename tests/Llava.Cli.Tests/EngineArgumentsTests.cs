using System.CommandLine;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Quantization;

namespace Llava.Cli.Tests;

public sealed class EngineArgumentsTests
{
    [Fact]
    public void What_is_typed_becomes_a_setting_and_what_is_not_stays_as_it_is_set()
    {
        var (command, engine) = Command();
        Assert.Empty(engine.Settings(command.Parse("")));
        Assert.Equal(new EngineOptions().Quantize, engine.Options(command.Parse("")).Quantize);

        var typed = command.Parse("--runner torch --quantize INT8");
        Assert.Empty(typed.Errors);
        Assert.Equal(["Llava:Engine:Runner=Torch", "Llava:Engine:Quantize=Int8"], engine.Settings(typed).Select(setting => $"{setting.Key}={setting.Value}"));
        Assert.Equal((RunnerKind.Torch, QuantizationScheme.Int8), (engine.Options(typed).Runner, engine.Options(typed).Quantize));
        Assert.Equal(QuantizationScheme.LlmInt8, engine.Options(command.Parse("--quantize llmint8")).Quantize);
        Assert.Equal(["Llava:Engine:Device=cuda:1", "Llava:Engine:DeviceFallback=True"], engine.Settings(command.Parse("--device cuda:1 --device-fallback")).Select(setting => $"{setting.Key}={setting.Value}"));
    }

    [Theory]
    [InlineData("--quantize int3")]
    [InlineData("--runner gpu")]
    public void What_there_is_not_is_refused(string arguments) => Assert.NotEmpty(Command().Command.Parse(arguments).Errors);

    [Fact]
    public void A_torch_runner_with_quantized_weights_is_refused_with_what_would_do()
    {
        var findings = new EngineOptions { Runner = RunnerKind.Torch, Quantize = QuantizationScheme.Int4 }.Validate();
        Assert.Contains(nameof(RunnerKind.Cpu), Assert.Single(findings), StringComparison.Ordinal);
    }

    private static (Command Command, EngineArguments Engine) Command()
    {
        Command command = new("test");
        EngineArguments engine = new();
        engine.AddTo(command);
        return (command, engine);
    }
}
