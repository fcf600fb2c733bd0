using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native.Shim;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.Benchmarks.Gpu.Parts;

/// <summary>What this device does at most, on random numbers: memory, products of the models' shapes, our attention of rows that decode, and what the host pays for a launch.</summary>
internal sealed class RooflinePart : BenchPart
{
    /// <summary>Name of the largest product, which is the measure of what a device does.</summary>
    public const string Square = "square";

    private const int Launches = 1000;

    public override string Name => "rooflines";

    public override int Budget => 60;

    public override void Run(BenchSettings settings, BenchLines lines, PartTime time)
    {
        using var mode = inference_mode();
        Memory(settings, lines, time);
        Launch(settings, lines, time);
        if (settings.Open is not null)
        {
            Attention(settings, lines, time);
        }

        Products(settings, lines, time);
    }

    private static void Memory(BenchSettings settings, BenchLines lines, PartTime time)
    {
        using var scope = NewDisposeScope();
        var (source, target) = (Random(settings, settings.Sizes.CopyBytes / 2), Random(settings, settings.Sizes.CopyBytes / 2));
        var copy = Medians.Seconds(settings, time, () => target.copy_(source));
        var read = Medians.Seconds(settings, time, () => source.max().Dispose());
        lines.Write("memory", new { TerabytesPerSecondCopied = 2 * settings.Sizes.CopyBytes / copy / 1e12, TerabytesPerSecondRead = settings.Sizes.CopyBytes / read / 1e12 });
    }

    private static void Products(BenchSettings settings, BenchLines lines, PartTime time)
    {
        Measure(Square, settings.Sizes.Square, settings.Sizes.Square, settings.Sizes.Square);
        foreach (var model in settings.Sizes.Models)
        {
            var language = model.Config.LanguageModel;
            (string Name, int Outputs, int Inputs)[] shapes =
            [
                ("queries, keys, values", (language.Heads + (2 * language.KeyValueHeads)) * language.HeadSize, language.HiddenSize),
                ("output", language.HiddenSize, language.HiddenSize),
                ("gate and up", 2 * language.IntermediateSize, language.HiddenSize),
                ("down", language.HiddenSize, language.IntermediateSize),
                ("head", language.VocabularySize, language.HiddenSize),
            ];
            foreach (var (name, outputs, inputs) in shapes)
            {
                foreach (var rows in settings.Sizes.ProductRows)
                {
                    Measure($"{model.Name}, {name}", rows, outputs, inputs);
                }
            }
        }

        void Measure(string name, int rows, int outputs, int inputs)
        {
            using var scope = NewDisposeScope();
            var (left, right, result) = (Random(settings, rows, inputs), Random(settings, outputs, inputs).t(), Random(settings, rows, outputs));
            var seconds = Medians.Seconds(settings, time, () => StableShim.MultiplyInto(result.Handle, left.Handle, right.Handle, settings.Device.type == DeviceType.CUDA), repeats: 5);
            lines.Write("product", new
            {
                Product = name,
                Rows = rows,
                Outputs = outputs,
                Inputs = inputs,
                Microseconds = seconds * 1e6,
                TeraflopsPerSecond = 2.0 * rows * outputs * inputs / seconds / 1e12,
                TerabytesPerSecond = 2.0 * (((double)rows * inputs) + ((double)outputs * inputs) + ((double)rows * outputs)) / seconds / 1e12,
            });
        }
    }

    /// <summary>Keys and values that our kernel reads a second, for as many sequences as a model has slots.</summary>
    private static void Attention(BenchSettings settings, BenchLines lines, PartTime time)
    {
        using var session = settings.Open!();
        session.Enter();
        foreach (var model in settings.Sizes.Models)
        {
            using var scope = NewDisposeScope();
            var (language, context) = (model.Config.LanguageModel, model.PromptPositions(settings.Sizes.Words));
            HeadShape shape = new(language.Heads, language.KeyValueHeads, language.HeadSize);
            var rows = settings.Sizes.Slots;
            var (keys, values) = (Random(settings, rows * context, language.KeyValueHeads * language.HeadSize), Random(settings, rows * context, language.KeyValueHeads * language.HeadSize));
            var (queries, mixed) = (Random(settings, rows, language.Heads * language.HeadSize), Random(settings, rows, language.Heads * language.HeadSize));
            var starts = tensor(Enumerable.Range(0, rows).Select(row => row * context).ToArray(), device: settings.Device);
            var lengths = tensor(Enumerable.Repeat(context, rows).ToArray(), device: settings.Device);
            var scratch = empty(DecodeAttention.ScratchBytes(rows, context, shape), ScalarType.Byte, settings.Device);
            DecodeAttention attention = new(At(queries), At(keys), At(values), At(starts), At(lengths), At(scratch), At(mixed));
            var seconds = Medians.Seconds(settings, time, () => attention.Launch(session.Kernels, rows, context, shape, 1 / MathF.Sqrt(language.HeadSize)));
            lines.Write("attention of rows that decode", new { Model = model.Name, Sequences = rows, Context = context, Microseconds = seconds * 1e6, TerabytesPerSecond = 4.0 * rows * context * language.KeyValueHeads * language.HeadSize / seconds / 1e12 });
        }

    }

    private static void Launch(BenchSettings settings, BenchLines lines, PartTime time)
    {
        using var scope = NewDisposeScope();
        var (left, right, result) = (Random(settings, 8, 8), Random(settings, 8, 8), Random(settings, 8, 8));
        var typed = Medians.Seconds(settings, time, () => StableShim.MultiplyInto(result.Handle, left.Handle, right.Handle, settings.Device.type == DeviceType.CUDA), Launches);
        var torchSharp = Medians.Seconds(settings, time, () => left.mm(right).Dispose(), Launches);
        lines.Write("launch", new { MicrosecondsTyped = typed * 1e6, MicrosecondsTorchSharp = torchSharp * 1e6 });
    }

    /// <summary>Random bfloat16: zeros would be computed faster.</summary>
    private static Tensor Random(BenchSettings settings, params long[] shape) => randn(shape, ScalarType.BFloat16, settings.Device);

    private static nint At(Tensor tensor) => StableShim.Address(tensor.Handle);
}
