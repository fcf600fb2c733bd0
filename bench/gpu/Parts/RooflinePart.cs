using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native.Shim;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.Benchmarks.Gpu.Parts;

/// <summary>What this device does at most, on random numbers: memory, products of the models' shapes in sixteen and eight bits, our attention of rows that decode, and what the host pays for a launch.</summary>
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

        if (settings.HasFp8())
        {
            Fp8Products(settings, lines, time);
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
            foreach (var (name, outputs, inputs) in (ProductShape[])[.. Layer(language), new("head", language.VocabularySize, language.HiddenSize)])
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

    /// <summary>A layer's products in eight bits, of the first model: alone, and with the rounding of their input.</summary>
    private static void Fp8Products(BenchSettings settings, BenchLines lines, PartTime time)
    {
        using var session = settings.Open!();
        session.Enter();
        var model = settings.Sizes.Models[0];
        foreach (var (name, outputs, inputs) in Layer(model.Config.LanguageModel))
        {
            using var scope = NewDisposeScope();
            using Fp8Matrix matrix = new(session, [Random(settings, outputs, inputs)]);
            foreach (var rows in settings.Sizes.ProductRows)
            {
                using var round = NewDisposeScope();
                var (input, result) = (Random(settings, rows, inputs), empty(rows, outputs, ScalarType.BFloat16, settings.Device));
                Fp8Rows rounded = new(StableShim.AsFloat8(empty(rows, inputs, ScalarType.Byte, settings.Device)), empty(rows, 1, ScalarType.Float32, settings.Device));
                Action quantize = () => Fp8Kernels.Quantize(session.Kernels, At(input), rounded.Target, rows, inputs), multiply = () => matrix.Multiply(new DeviceRows(input, rounded), result);
                quantize();
                var alone = Medians.Seconds(settings, time, multiply, repeats: 5);
                var both = Medians.Seconds(settings, time, quantize + multiply, repeats: 5);
                lines.Write("fp8 product", new
                {
                    Product = $"{model.Name}, {name}",
                    Rows = rows,
                    Outputs = outputs,
                    Inputs = inputs,
                    Microseconds = alone * 1e6,
                    MicrosecondsWithRounding = both * 1e6,
                    TeraflopsPerSecond = 2.0 * rows * outputs * inputs / alone / 1e12,
                    TeraflopsPerSecondWithRounding = 2.0 * rows * outputs * inputs / both / 1e12,
                });
            }
        }
    }

    /// <summary>A layer's products.</summary>
    private static ProductShape[] Layer(LanguageModelConfig language) =>
    [
        new("queries, keys, values", (language.Heads + (2 * language.KeyValueHeads)) * language.HeadSize, language.HiddenSize),
        new("output", language.HiddenSize, language.HiddenSize),
        new("gate and up", 2 * language.IntermediateSize, language.HiddenSize),
        new("down", language.HiddenSize, language.IntermediateSize),
    ];

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
            var numbers = (long)rows * context * language.KeyValueHeads * language.HeadSize;
            var (keys, values, scales) = (Random(settings, numbers), Random(settings, numbers), rand(rows * context * language.KeyValueHeads, ScalarType.Float32, settings.Device));
            // Any bits are numbers of eight bits, but for two of 256.
            KvLayer half = new(At(keys), At(values)), fp8 = new(At(keys), At(values), At(scales), At(scales), rows * context);
            var (queries, mixed) = (Random(settings, rows, language.Heads * language.HeadSize), Random(settings, rows, language.Heads * language.HeadSize));
            var starts = tensor(Enumerable.Range(0, rows).Select(row => row * context).ToArray(), device: settings.Device);
            var lengths = tensor(Enumerable.Repeat(context, rows).ToArray(), device: settings.Device);
            var scratch = empty(DecodeAttention.ScratchBytes(rows, context, shape), ScalarType.Byte, settings.Device);
            foreach (var (name, layer, bytes) in new[] { ("bfloat16", half, 4.0 * numbers), ("fp8", fp8, (2.0 * numbers) + (2 * scales.numel() * sizeof(float))) })
            {
                DecodeAttention attention = new(At(queries), layer, At(starts), At(lengths), At(scratch), At(mixed));
                var seconds = Medians.Seconds(settings, time, () => attention.Launch(session.Kernels, rows, context, shape, 1 / MathF.Sqrt(language.HeadSize)));
                lines.Write("attention of rows that decode", new { Model = model.Name, KeysAndValues = name, Sequences = rows, Context = context, Microseconds = seconds * 1e6, TerabytesPerSecond = bytes / seconds / 1e12 });
            }
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

    private sealed record ProductShape(string Name, int Outputs, int Inputs);
}
