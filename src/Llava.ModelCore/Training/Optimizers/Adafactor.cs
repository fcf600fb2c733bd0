using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Optimizers;

/// <summary>
/// Adafactor (Shazeer and Stern 2018) at a learning rate that is given: of a matrix's squared gradients only row and column means are remembered, decaying as
/// 1 − t^−0.8; there is no first moment; an update's root mean square is clipped to 1.
/// </summary>
internal sealed class Adafactor : Optimizer
{
    private const double Floor = 1e-30;
    private const double DecayPower = -0.8;

    private readonly Dictionary<string, Tensor[]> _squares = [];

    /// <summary>Makes the optimizer with nothing remembered.</summary>
    public Adafactor(IReadOnlyList<ParameterGroup> groups)
        : base(groups)
    {
        foreach (var (name, value) in Parameters)
        {
            _squares[name] = value.dim() < 2
                ? [Remembered(value.shape, value)]
                : [Remembered(value.shape.AsSpan()[..^1], value), Remembered([.. value.shape[..^2], value.shape[^1]], value)];
        }
    }

    /// <summary>Mean squares by name: <c>exp_avg_sq_row.{parameter}</c> and <c>exp_avg_sq_col.{parameter}</c>, or <c>exp_avg_sq.{parameter}</c> of a vector.</summary>
    public override IEnumerable<RememberedTensor> State => _squares.SelectMany(squares => squares.Value is [var rows, var columns]
        ? (RememberedTensor[])[new("exp_avg_sq_row." + squares.Key, squares.Key, rows), new("exp_avg_sq_col." + squares.Key, squares.Key, columns)]
        : [new("exp_avg_sq." + squares.Key, squares.Key, squares.Value[0])]);

    /// <inheritdoc/>
    protected override void Update(string name, Tensor value, Tensor gradient, double rate, double decay)
    {
        var kept = 1 - Math.Pow(Steps, DecayPower);
        using var keep = kept.ToScalar();
        using var add = (1 - kept).ToScalar();
        var squares = gradient.square().add_(Scalars.Of(Floor), Scalars.One);
        var update = _squares[name] is [var rows, var columns]
            ? gradient.mul(Root(Follow(rows, squares.mean([-1])), Follow(columns, squares.mean([-2]))))
            : gradient.mul(Follow(_squares[name][0], squares).rsqrt());
        using var move = (-rate).ToScalar();
        Decay(value, rate, decay);
        value.add_(update.div_(update.square().mean().sqrt().clamp_min(Scalars.One)), move);

        Tensor Follow(Tensor mean, Tensor now) => mean.mul_(keep).add_(now, add);
    }

    /// <summary>1 / √(R·C / mean(R)), as two factors, so that nothing is squared away.</summary>
    private static Tensor Root(Tensor rows, Tensor columns) =>
        rows.div(rows.mean([-1], keepdim: true)).rsqrt_().unsqueeze(-1).mul(columns.rsqrt().unsqueeze(-2));
}
