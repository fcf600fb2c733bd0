using Llava.ModelCore.Training.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>
/// ZeRO's first two stages (Rajbhandari et al. 2020): each rank remembers and updates its share of every parameter, and the weights are put together again. Where
/// none is kept whole, a part's gradients are summed into the shares after each micro-batch, in the order of one process. Shares may be copies in host memory, updated
/// there (Ren et al. 2021); a single process then has everything as its share.
/// </summary>
internal sealed class ShardedGradients : GradientSharing
{
    private readonly ICollective _ranks;
    private readonly bool _isOnHost;
    private readonly Dictionary<string, (Share Share, Tensor Own)> _shares;

    /// <summary>Makes the optimizer of this rank's shares.</summary>
    /// <param name="groups">What learns, whole.</param>
    /// <param name="kind">How.</param>
    /// <param name="ranks">Who shares it.</param>
    /// <param name="keepsNoneWhole">Whether whole gradients are freed after each micro-batch (stage 2).</param>
    /// <param name="isOnHost">Whether shares are copies in host memory; otherwise they are views of the weights.</param>
    public ShardedGradients(IReadOnlyList<ParameterGroup> groups, OptimizerKind kind, ICollective ranks, bool keepsNoneWhole, bool isOnHost)
    {
        (_ranks, CollectsAlways, _isOnHost) = (ranks, keepsNoneWhole, isOnHost);
        Parameters = [.. groups.SelectMany(group => group.Parameters)];
        _shares = Parameters.ToDictionary(parameter => parameter.Name, ShareOf);
        Optimizer = Optimizer.For([.. groups.Select(group => group with { Parameters = [.. group.Parameters.Select(whole => new TrainableParameter(whole.Name, _shares[whole.Name].Own) { Numbers = whole.Numbers })] })], kind);
    }

    public override Optimizer Optimizer { get; }

    public override IReadOnlyList<TrainableParameter> Parameters { get; }

    public override bool CollectsAlways { get; }

    public override IEnumerable<WholeState> State => Optimizer.State.Select(state =>
    {
        var whole = Parameters.First(parameter => parameter.Name == state.Parameter).Value;
        long[] shape = state.IsFlat ? [(whole.numel() + state.NumbersEach - 1) / state.NumbersEach] : whole.shape;
        return new WholeState(state.Name, state.Value.dtype, shape, () => Gather(state, shape, whole.device));
    });

    public override void Clear() => Drop();

    public override void Drop()
    {
        Optimizer.DropGradients();
        foreach (var (_, value) in Parameters)
        {
            value.grad = null;
        }
    }

    public override void Collect(ModelPart part)
    {
        using var noGrad = no_grad();
        foreach (var (name, value) in PartOf(part))
        {
            using var scope = NewDisposeScope();
            var (share, own) = _shares[name];
            var gradient = value.grad?.contiguous() ?? zeros_like(value);
            var sum = own.grad?.to(gradient.device) ?? zeros_like(own, device: gradient.device);
            if (share.Piece == share.Length && share.Piece * _ranks.Size == gradient.numel())
            {
                _ranks.ReduceScatter(gradient.view(-1), sum);
            }
            else
            {
                var padded = Padded(sum, share.Piece);
                _ranks.ReduceScatter(Padded(gradient.view(-1), share.Piece * _ranks.Size), padded);
                sum.copy_(padded.narrow(0, 0, share.Length));
            }

            own.grad = sum.to(own.device);
            value.grad = null;
        }
    }

    public override void Spread(ModelPart part)
    {
        using var noGrad = no_grad();
        foreach (var (name, value) in PartOf(part))
        {
            using var scope = NewDisposeScope();
            var (share, own) = _shares[name];
            var flat = value.detach().view(-1);
            if (share.Piece * _ranks.Size == flat.numel())
            {
                _ranks.AllGather(own.to(flat.device), flat);
                continue;
            }

            flat.copy_(Together(own.to(flat.device), share.Piece).narrow(0, 0, flat.numel()));
        }
    }

    public override IReadOnlyList<double> NormsOf(IReadOnlyList<Tensor?> own)
    {
        var ranks = _ranks.Gather([.. base.NormsOf(own).Select(norm => norm * norm)]);
        return [.. own.Select((_, part) => Math.Sqrt(ranks.Sum(squares => squares[part])))];
    }

    public override void Restore(int steps, Func<string, Tensor> read)
    {
        if (_isOnHost)
        {
            // The weights were read since the copies were made.
            using var noGrad = no_grad();
            foreach (var (name, value) in Parameters)
            {
                using var scope = NewDisposeScope();
                var (share, own) = _shares[name];
                own.copy_(PlaceOf(value, share));
            }
        }

        var places = Optimizer.State.ToDictionary(state => state.Name, state => (state.NumbersEach, state.Value.numel(), _shares[state.Parameter].Share.Start));
        Optimizer.Restore(steps, name =>
        {
            var (each, count, start) = places[name];
            var saved = read(name).view(-1);
            // What does not fit has its shape named by the optimizer.
            return (start / each) + count <= saved.shape[0] ? saved.narrow(0, start / each, count) : saved;
        });
    }

    public override void Dispose()
    {
        base.Dispose();
        foreach (var (_, own) in _shares.Values)
        {
            own.Dispose();
        }
    }

    private (Share Share, Tensor Own) ShareOf(TrainableParameter whole)
    {
        using var scope = NewDisposeScope();
        var share = Share.Of(whole.Numbers, _ranks.Rank, _ranks.Size);
        var place = PlaceOf(whole.Value, share);
        return (share, (_isOnHost ? place.to(CPU, copy: true) : place).DetachFromDisposeScope());
    }

    private static Tensor PlaceOf(Tensor whole, Share share) => whole.detach().view(-1).narrow(0, share.Start, share.Length);

    private IEnumerable<TrainableParameter> PartOf(ModelPart part) => Parameters.Where(parameter => part.Has(parameter.Name));

    private Tensor Gather(RememberedTensor state, long[] shape, Device device)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var all = Together(state.Value.to(device), _shares[state.Parameter].Share.Piece / state.NumbersEach);
        return all.narrow(0, 0, shape.Aggregate(1L, (product, size) => product * size)).view(shape).MoveToOuterDisposeScope();
    }

    private Tensor Together(Tensor own, long piece)
    {
        var all = empty(piece * _ranks.Size, own.dtype, own.device);
        _ranks.AllGather(Padded(own, piece), all);
        return all;
    }

    private static Tensor Padded(Tensor flat, long length) => flat.numel() == length ? flat : nn.functional.pad(flat, [0, length - flat.numel()]);
}
