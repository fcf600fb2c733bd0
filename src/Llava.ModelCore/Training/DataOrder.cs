namespace Llava.ModelCore.Training;

/// <summary>The order samples are seen in. A pure function of the epoch, so that a resumed run continues it without replaying.</summary>
public interface IDataOrder
{
    /// <summary>Samples of one epoch; the same for every epoch.</summary>
    int SamplesPerEpoch { get; }

    /// <summary>Sample indices of an epoch, counted from 0.</summary>
    IReadOnlyList<int> Epoch(int epoch);
}

/// <summary>A random permutation per epoch.</summary>
/// <param name="samples">Indices of the samples to use.</param>
/// <param name="seed">Seed of the run.</param>
internal sealed class ShuffledOrder(IReadOnlyList<int> samples, long seed) : IDataOrder
{
    public int SamplesPerEpoch => samples.Count;

    public IReadOnlyList<int> Epoch(int epoch) => [.. new SeededRandom(seed, epoch).Permutation(samples.Count).Select(i => samples[i])];
}

/// <summary>An order read from a file.</summary>
internal sealed class ExplicitOrder : IDataOrder
{
    private readonly int[][] _epochs;

    /// <exception cref="TrainingException">There is no epoch, or epochs differ in length.</exception>
    public ExplicitOrder(int[][] epochs)
    {
        if (epochs.Length == 0 || epochs.Any(epoch => epoch.Length == 0 || epoch.Length != epochs[0].Length))
        {
            throw new TrainingException("The data order must be a list of epochs with the same number of sample indices each, and at least one.");
        }

        _epochs = epochs;
    }

    public int SamplesPerEpoch => _epochs[0].Length;

    /// <summary>Every sample index of any epoch, once.</summary>
    public IEnumerable<int> Indices => _epochs.SelectMany(epoch => epoch).Distinct().Order();

    public IReadOnlyList<int> Epoch(int epoch) => epoch < _epochs.Length
        ? _epochs[epoch]
        : throw new TrainingException($"The data order has {_epochs.Length} epochs, but the run needs epoch {epoch + 1}; add epochs or lower max_steps.");
}
