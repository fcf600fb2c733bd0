using Llava.ModelCore.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Llava.ModelCore.Adapters;

/// <summary>
/// What a low-rank adapter adds to a linear layer: scaling·B(A(dropout(x))) (Hu et al. 2021; spec 2.7). Float32 factors; A is drawn as peft draws it
/// (Kaiming uniform with a = √5, that is uniform in ±1/√inputs) by whoever makes the adapter, B begins as zero, so that a new adapter changes nothing.
/// </summary>
public sealed class LoraFactors : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "A")]
    private readonly Parameter _a;

    [ComponentName(Name = "B")]
    private readonly Parameter _b;

    private readonly Scalar _scaling;
    private readonly double _dropout;

    /// <summary>Makes factors with an uninitialised A.</summary>
    /// <param name="inputs">Width of the layer's input.</param>
    /// <param name="outputs">Width of its output.</param>
    /// <param name="rank">Width between the factors.</param>
    /// <param name="alpha">Strength; the scaling is alpha / rank.</param>
    /// <param name="dropout">Share of the inputs that are left out while training.</param>
    public LoraFactors(long inputs, long outputs, int rank, double alpha, double dropout)
        : base(nameof(LoraFactors))
    {
        _a = nn.Parameter(empty(rank, inputs));
        _b = nn.Parameter(zeros(outputs, rank));
        (_scaling, _dropout) = ((alpha / rank).ToScalar(), dropout);
        RegisterComponents();
    }

    /// <summary>(rank, inputs).</summary>
    public Tensor A => _a;

    /// <summary>(outputs, rank).</summary>
    public Tensor B => _b;

    /// <summary>What dropout is drawn from; null for torch's own generator, which everything in the process draws from. Not disposed.</summary>
    internal Generator? Random { get; set; }

    /// <summary>(…, inputs) → (…, outputs), computed in the input's type.</summary>
    public override Tensor forward(Tensor input)
    {
        var seen = _dropout > 0 && training ? input.mul(empty_like(input).bernoulli_(1 - _dropout, Random).div_(Scalars.Of(1 - _dropout))) : input;
        return nn.functional.linear(nn.functional.linear(seen, _a.to(input.dtype)), _b.to(input.dtype)).mul(_scaling);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _scaling.Dispose();
        base.Dispose(disposing);
    }
}
