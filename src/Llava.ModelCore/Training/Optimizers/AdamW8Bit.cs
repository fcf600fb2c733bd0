using Llava.ModelCore.Quantization;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Optimizers;

/// <summary>
/// <see cref="AdamW"/> whose moments are kept in blocks of 8-bit codes and are float32 only while a parameter is updated (Dettmers et al. 2022). As there, the
/// embedding table and parameters of less than 4,096 numbers keep float32 moments.
/// </summary>
internal sealed class AdamW8Bit : AdamW
{
    private const int SmallestCoded = 4096;

    private readonly Dictionary<string, CodedMoments> _moments = [];

    /// <summary>Makes the optimizer with moments of zero.</summary>
    public AdamW8Bit(IReadOnlyList<ParameterGroup> groups)
        : base(groups, IsExact)
    {
        foreach (var (name, value) in Parameters.Where(parameter => !IsExact(parameter)))
        {
            _moments[name] = new(value);
        }
    }

    /// <summary>Whether the moments of a parameter are kept as codes.</summary>
    internal static bool IsCoded(string name, long numbers) => numbers >= SmallestCoded && !name.EndsWith("embed_tokens.weight", StringComparison.Ordinal);

    /// <inheritdoc/>
    public override IEnumerable<RememberedTensor> State => base.State.Concat(_moments.SelectMany(moments => moments.Value.Named(moments.Key)));

    /// <inheritdoc/>
    protected override void Update(string name, Tensor value, Tensor gradient, double rate, double decay)
    {
        if (!_moments.TryGetValue(name, out var coded))
        {
            base.Update(name, value, gradient, rate, decay);
            return;
        }

        var first = DynamicCode.Signed.Dequantize(coded.First, coded.FirstScales).view(value.shape);
        var second = DynamicCode.Unsigned.Dequantize(coded.Second, coded.SecondScales).view(value.shape);
        Follow(value, gradient, first, second, rate, decay);
        Keep(DynamicCode.Signed.Quantize(first.flatten()), coded.First, coded.FirstScales);
        Keep(DynamicCode.Unsigned.Quantize(second.flatten()), coded.Second, coded.SecondScales);
    }

    private static bool IsExact(TrainableParameter parameter) => !IsCoded(parameter.Name, parameter.Numbers);

    private static void Keep((Tensor Codes, Tensor Magnitudes) moment, Tensor codes, Tensor scales)
    {
        codes.copy_(moment.Codes);
        scales.copy_(moment.Magnitudes);
    }

    private sealed class CodedMoments(Tensor value)
    {
        public Tensor First { get; } = Codes(value, DynamicCode.Signed);

        public Tensor FirstScales { get; } = Scales(value);

        public Tensor Second { get; } = Codes(value, DynamicCode.Unsigned);

        public Tensor SecondScales { get; } = Scales(value);

        public IEnumerable<RememberedTensor> Named(string name) =>
        [
            new($"exp_avg.{name}", name, First, IsFlat: true),
            new($"exp_avg.{name}.absmax", name, FirstScales, IsFlat: true, NumbersEach: DynamicCode.Block),
            new($"exp_avg_sq.{name}", name, Second, IsFlat: true),
            new($"exp_avg_sq.{name}.absmax", name, SecondScales, IsFlat: true, NumbersEach: DynamicCode.Block),
        ];

        private static Tensor Codes(Tensor value, DynamicCode code)
        {
            using var noGrad = no_grad();
            using var scope = NewDisposeScope();
            // Zero is not code 0 in the signed code.
            return code.Quantize(zeros(value.numel(), device: value.device)).Codes.DetachFromDisposeScope();
        }

        private static Tensor Scales(Tensor value) => Remembered([(value.numel() + DynamicCode.Block - 1) / DynamicCode.Block], value);
    }
}
