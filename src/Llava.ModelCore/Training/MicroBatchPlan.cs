namespace Llava.ModelCore.Training;

/// <summary>
/// Which samples each optimizer step sees. As upstream's trainer does it, the last micro-batch of an epoch may be short and
/// accumulation runs on across epochs, unless an epoch has fewer micro-batches than are accumulated: then each epoch is one step.
/// </summary>
/// <param name="order">Order of the samples.</param>
/// <param name="microBatch">Samples of a forward pass.</param>
/// <param name="accumulation">Micro-batches of an optimizer step.</param>
internal sealed class MicroBatchPlan(IDataOrder order, int microBatch, int accumulation)
{
    private readonly int _batchesPerEpoch = (order.SamplesPerEpoch + microBatch - 1) / microBatch;
    private (int Number, IReadOnlyList<int> Samples) _epoch = (-1, []);

    /// <summary>Micro-batches averaged into one optimizer step.</summary>
    public int BatchesPerStep => Math.Min(accumulation, _batchesPerEpoch);

    /// <summary>ceil(epochs·floor(batches / accumulation)) (spec 7.8).</summary>
    public int StepsFor(double epochs) => (int)Math.Ceiling(epochs * (_batchesPerEpoch / BatchesPerStep));

    /// <summary>Sample indices of each micro-batch of optimizer step <paramref name="step"/>, counted from 0.</summary>
    public IReadOnlyList<int[]> MicroBatchesOf(int step) =>
        [.. Enumerable.Range(0, BatchesPerStep).Select(i => MicroBatch(((long)step * BatchesPerStep) + i))];

    /// <summary>Passes over the data after <paramref name="steps"/> optimizer steps.</summary>
    public double EpochsAfter(int steps) => (double)steps * BatchesPerStep / _batchesPerEpoch;

    private int[] MicroBatch(long number)
    {
        var epoch = (int)(number / _batchesPerEpoch);
        if (_epoch.Number != epoch)
        {
            _epoch = (epoch, order.Epoch(epoch));
        }

        return [.. _epoch.Samples.Skip((int)(number % _batchesPerEpoch) * microBatch).Take(microBatch)];
    }
}
