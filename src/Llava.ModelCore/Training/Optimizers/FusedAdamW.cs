using Llava.ModelCore.Native.Shim;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Optimizers;

/// <summary>
/// <see cref="AdamW"/> by libtorch's own operator, which updates many parameters with few kernels and reads and writes each number once. Equal to it to rounding.
/// </summary>
internal sealed class FusedAdamW(IReadOnlyList<ParameterGroup> groups) : AdamW(groups)
{
    private static readonly TorchOperator Fused = new("aten::_fused_adamw_");

    /// <inheritdoc/>
    protected override void Update(IReadOnlyList<TrainableParameter> parameters, double rate, double decay)
    {
        foreach (var placed in parameters.GroupBy(parameter => parameter.Value.device.ToString()))
        {
            List<TrainableParameter> together = [.. placed];
            var gradients = together.ConvertAll(parameter => GradientOf(parameter.Value));
            var moments = together.ConvertAll(parameter => MomentsOf(parameter.Name));
            using var step = ((double)Steps).ToScalar();
            var steps = full([], step, ScalarType.Float32, together[0].Value.device);
            Fused.Apply(
                (nint[])[.. together.Select(parameter => parameter.Value.Handle)],
                (nint[])[.. gradients.Select(gradient => gradient.Handle)],
                (nint[])[.. moments.Select(moment => moment.First.Handle)],
                (nint[])[.. moments.Select(moment => moment.Second.Handle)],
                Array.Empty<nint>(),
                (nint[])[.. Enumerable.Repeat(steps.Handle, together.Count)],
                rate, Beta1, Beta2, decay, Epsilon, false, false, ShimValue.None, ShimValue.None);
        }
    }
}
