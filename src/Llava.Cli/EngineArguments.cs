using System.CommandLine;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Quantization;
using Microsoft.Extensions.Configuration;

namespace Llava.Cli;

/// <summary>What computes, for every command that loads a model; what is typed goes before the settings (<c>Llava__Engine__…</c>).</summary>
internal sealed class EngineArguments
{
    private readonly Option<RunnerKind?> _runner = new("--runner") { Description = "What computes the language model: our own kernels (cpu, which auto takes unless a device is named), the reference (torch) or a CUDA device (cuda)." };

    private readonly Option<string?> _device = new("--device") { Description = "Where models compute: cpu (the default), cuda or cuda:N (docs/gpu.md)." };

    private readonly Option<string[]> _layerDevices = new("--layer-devices") { Description = "Devices that --runner torch lays a large model's layers over, such as cuda:0 cuda:1.", AllowMultipleArgumentsPerToken = true };

    private readonly Option<bool> _fallback = new("--device-fallback") { Description = "Let the CPU compute where the device cannot be used or is too small." };

    private readonly Option<QuantizationScheme?> _quantize = new("--quantize") { Description = "How the language model's weights are kept: none (as in the checkpoint, the default), int8, int4, nf4, llmint8, or fp8 on a CUDA device (docs/quantization.md)." };

    public void AddTo(Command command)
    {
        command.Options.Add(_runner);
        command.Options.Add(_device);
        command.Options.Add(_layerDevices);
        command.Options.Add(_fallback);
        command.Options.Add(_quantize);
    }

    /// <summary>What was typed, as settings.</summary>
    public IReadOnlyCollection<KeyValuePair<string, string?>> Settings(ParseResult typed)
    {
        List<KeyValuePair<string, string?>> settings = [];
        Add(nameof(EngineOptions.Runner), typed.GetValue(_runner)?.ToString());
        Add(nameof(EngineOptions.Device), typed.GetValue(_device));
        foreach (var (index, device) in (typed.GetValue(_layerDevices) ?? []).Index())
        {
            Add($"{nameof(EngineOptions.LayerDevices)}:{index}", device);
        }

        Add(nameof(EngineOptions.DeviceFallback), typed.GetValue(_fallback) ? bool.TrueString : null);
        Add(nameof(EngineOptions.Quantize), typed.GetValue(_quantize)?.ToString());
        return settings;

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                settings.Add(new($"Llava:{EngineOptions.SectionName}:{name}", value));
            }
        }
    }

    /// <summary>The engine's options, for a command that loads its model itself.</summary>
    public EngineOptions Options(ParseResult typed) => Options(Settings(typed));

    /// <summary>The engine's options as they are set, with others that go before them.</summary>
    public static EngineOptions Options(params IReadOnlyCollection<KeyValuePair<string, string?>> settings) => new ConfigurationBuilder().AddEnvironmentVariables().AddInMemoryCollection(settings).Build()
        .GetSection($"Llava:{EngineOptions.SectionName}").Get<EngineOptions>() ?? new();
}
