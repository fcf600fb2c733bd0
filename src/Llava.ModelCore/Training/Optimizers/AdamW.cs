using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Optimizers;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019), β 0.9/0.999, ε 1e-8, in the order of operations of
/// PyTorch's single-tensor implementation, so that parameters follow it to rounding.
/// </summary>
internal class AdamW : Optimizer
{
    private protected const double Beta1 = 0.9;
    private protected const double Beta2 = 0.999;
    private protected const double Epsilon = 1e-8;

    private readonly Dictionary<string, (Tensor First, Tensor Second)> _moments = [];

    /// <summary>Makes the optimizer with moments of zero.</summary>
    public AdamW(IReadOnlyList<ParameterGroup> groups)
        : this(groups, _ => true)
    {
    }

    /// <summary>Makes the optimizer with moments of zero for the parameters whose moments are float32.</summary>
    private protected AdamW(IReadOnlyList<ParameterGroup> groups, Func<TrainableParameter, bool> isExact)
        : base(groups)
    {
        foreach (var (name, value) in Parameters.Where(isExact))
        {
            _moments[name] = (Remembered(value.shape, value), Remembered(value.shape, value));
        }
    }

    /// <summary>Moments by name: <c>exp_avg.{parameter}</c> and <c>exp_avg_sq.{parameter}</c>.</summary>
    public override IEnumerable<RememberedTensor> State => _moments.SelectMany(moment => (RememberedTensor[])
        [new("exp_avg." + moment.Key, moment.Key, moment.Value.First), new("exp_avg_sq." + moment.Key, moment.Key, moment.Value.Second)]);

    /// <summary>Both moments of a parameter, whose moments are float32.</summary>
    private protected (Tensor First, Tensor Second) MomentsOf(string name) => _moments[name];

    /// <inheritdoc/>
    protected override void Update(string name, Tensor value, Tensor gradient, double rate, double decay)
    {
        var (first, second) = _moments[name];
        Follow(value, gradient, first, second, rate, decay);
    }

    /// <summary>One update with moments in float32, which it changes.</summary>
    private protected void Follow(Tensor value, Tensor gradient, Tensor first, Tensor second, double rate, double decay)
    {
        using var stepSize = (-rate / (1 - Math.Pow(Beta1, Steps))).ToScalar();
        using var correction = Math.Sqrt(1 - Math.Pow(Beta2, Steps)).ToScalar();
        Decay(value, rate, decay);
        first.mul_(Scalars.Of(Beta1)).add_(gradient, Scalars.Of(1 - Beta1));
        second.mul_(Scalars.Of(Beta2)).addcmul_(gradient, gradient, Scalars.Of(1 - Beta2));
        value.addcdiv_(first, second.sqrt().div_(correction).add_(Scalars.Of(Epsilon)), stepSize);
    }
}
