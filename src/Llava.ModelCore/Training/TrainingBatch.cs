namespace Llava.ModelCore.Training;

/// <summary>A micro-batch as plain arrays: made on any thread, turned into tensors on the training thread.</summary>
/// <param name="Samples">Rows, in order.</param>
/// <param name="Length">Ids of a row.</param>
/// <param name="Ids">(rows, length), padded on the right.</param>
/// <param name="Labels">(rows, length), −100 where nothing is learned.</param>
/// <param name="Mask">(rows, length), false on padding.</param>
/// <param name="Images">One per row, each (3, side, side) normalised pixels; empty for a model without a vision tower.</param>
/// <param name="ImageSide">Pixels along a side.</param>
public sealed record TrainingBatch(
    IReadOnlyList<InstructionSample> Samples, int Length, int[] Ids, int[] Labels, bool[] Mask, IReadOnlyList<float[]> Images, int ImageSide)
{
    /// <summary>Pads examples on the right to the longest and cuts them to <paramref name="maxLength"/> (spec 7.6).</summary>
    /// <param name="examples">At least one.</param>
    /// <param name="images">One per example, or none.</param>
    /// <param name="imageSide">Pixels along a side.</param>
    /// <param name="padId">Id to pad with. As upstream's, the mask goes by the id, so that a real token with this id is hidden too.</param>
    /// <param name="maxLength">Ids kept of a row.</param>
    public static TrainingBatch Collate(IReadOnlyList<TrainingExample> examples, IReadOnlyList<float[]> images, int imageSide, int padId, int maxLength)
    {
        var length = Math.Min(maxLength, examples.Max(example => example.Ids.Length));
        var ids = new int[examples.Count * length];
        var labels = new int[ids.Length];
        Array.Fill(ids, padId);
        Array.Fill(labels, TrainingExample.Ignored);
        for (var row = 0; row < examples.Count; row++)
        {
            var kept = Math.Min(length, examples[row].Ids.Length);
            examples[row].Ids.AsSpan(0, kept).CopyTo(ids.AsSpan(row * length));
            examples[row].Labels.AsSpan(0, kept).CopyTo(labels.AsSpan(row * length));
        }

        return new TrainingBatch(
            [.. examples.Select(example => example.Sample)], length, ids, labels, Array.ConvertAll(ids, id => id != padId), images, imageSide);
    }

    /// <summary>Ids and labels of a row, padding left out.</summary>
    internal (List<int> Ids, List<long> Labels) Row(int row)
    {
        var positions = Enumerable.Range(row * Length, Length).Where(i => Mask[i]).ToList();
        return (positions.ConvertAll(i => Ids[i]), positions.ConvertAll(i => (long)Labels[i]));
    }

    /// <summary>The samples as a message names them.</summary>
    public string Names => string.Join(", ", Samples.Select(sample => sample.Name));
}
