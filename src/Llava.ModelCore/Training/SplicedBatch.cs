using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Training;

/// <summary>
/// Where everything goes once image features have taken the placeholders' positions (spec 1.8), in integers only. Embeddings
/// are gathered from one table: the text embeddings, then the features of the shown images, then one row of zeros for padding.
/// </summary>
internal sealed class SplicedBatch
{
    private readonly int _features;
    private readonly List<long> _textIds = [];
    private readonly List<int> _shownImages = [];

    private SplicedBatch(TrainingBatch batch, int features, int? maxPositions)
    {
        _features = features;
        var rows = Enumerable.Range(0, batch.Samples.Count).Select(row => Row(batch, row)).ToList();
        Rows = rows.Count;
        Length = Math.Min(rows.Max(row => row.Count), maxPositions ?? int.MaxValue);
        Filled = rows.Sum(row => Math.Min(Length, row.Count));
        Gather = new long[Rows * Length];
        Array.Fill(Gather, _textIds.Count + (_shownImages.Count * (long)features));
        var (predictors, targets) = (new List<long>(), new List<long>());
        for (var row = 0; row < Rows; row++)
        {
            for (var i = 0; i < Math.Min(Length, rows[row].Count); i++)
            {
                var (source, isImage, label) = rows[row][i];
                Gather[(row * Length) + i] = isImage ? _textIds.Count + source : source;
                if (i > 0 && label != TrainingExample.Ignored)
                {
                    predictors.Add((row * Length) + i - 1);
                    targets.Add(label);
                }
            }
        }

        (Predictors, Targets) = ([.. predictors], [.. targets]);
    }

    /// <summary>Sequences.</summary>
    public int Rows { get; }

    /// <summary>Positions of the longest sequence.</summary>
    public int Length { get; }

    /// <summary>Positions that are not padding.</summary>
    public int Filled { get; }

    /// <summary>Ids of all text positions, row after row.</summary>
    public long[] TextIds => [.. _textIds];

    /// <summary>Rows whose image is shown, in the order of their features in the table.</summary>
    public IReadOnlyList<int> ShownImages => _shownImages;

    /// <summary>For each of rows·length positions, its row in the table.</summary>
    public long[] Gather { get; }

    /// <summary>Positions whose next token is learned.</summary>
    public long[] Predictors { get; }

    /// <summary>Those next tokens.</summary>
    public long[] Targets { get; }

    /// <param name="batch">The micro-batch.</param>
    /// <param name="features">Feature vectors of an image.</param>
    /// <param name="maxPositions">Positions kept after splicing; null keeps all.</param>
    /// <exception cref="TrainingException">A row has a placeholder but no image, or several placeholders.</exception>
    public static SplicedBatch Of(TrainingBatch batch, int features, int? maxPositions) => new(batch, features, maxPositions);

    private List<(long Source, bool IsImage, int Label)> Row(TrainingBatch batch, int row)
    {
        var positions = new List<(long, bool, int)>();
        var isShown = false;
        for (var i = row * batch.Length; i < (row + 1) * batch.Length; i++)
        {
            if (batch.Ids[i] == ImagePlaceholder.TokenId)
            {
                if (isShown || batch.Samples[row].Image is null)
                {
                    throw new TrainingException($"{batch.Samples[row].Name} has more image placeholders than images; give every placeholder its own image.");
                }

                isShown = true;
                var first = (long)_shownImages.Count * _features;
                positions.AddRange(Enumerable.Range(0, _features).Select(feature => (first + feature, true, TrainingExample.Ignored)));
                _shownImages.Add(row);
            }
            else if (batch.Mask[i])
            {
                positions.Add((_textIds.Count, false, batch.Labels[i]));
                _textIds.Add(batch.Ids[i]);
            }
        }

        return positions;
    }
}
