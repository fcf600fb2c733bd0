namespace Llava.ModelCore.Evaluation.Schemes;

/// <summary>How far logits are from those of a reference, over any number of rows.</summary>
internal sealed class LogitDistance
{
    private double _squares;
    private double _differences;
    private double _divergence;
    private long _agreed;

    /// <summary>Rows that were compared.</summary>
    public long Rows { get; private set; }

    /// <summary>Root mean square of the differences, by that of the reference.</summary>
    public double Error => Math.Sqrt(_differences / _squares);

    /// <summary>Mean Kullback–Leibler divergence, in nats.</summary>
    public double Divergence => _divergence / Rows;

    /// <summary>Share of the rows whose largest logit is the reference's.</summary>
    public double Agreement => (double)_agreed / Rows;

    /// <summary>Takes one row in.</summary>
    public void Add(ReadOnlySpan<float> reference, ReadOnlySpan<float> other)
    {
        var (normal, otherNormal) = (LogSum(reference), LogSum(other));
        for (var i = 0; i < reference.Length; i++)
        {
            var (a, b) = ((double)reference[i], (double)other[i]);
            _squares += a * a;
            _differences += (a - b) * (a - b);
            _divergence += Math.Exp(a - normal) * (a - normal - (b - otherNormal));
        }

        _agreed += Largest(reference) == Largest(other) ? 1 : 0;
        Rows++;
    }

    private static double LogSum(ReadOnlySpan<float> row)
    {
        var largest = (double)row[Largest(row)];
        var sum = 0.0;
        foreach (var logit in row)
        {
            sum += Math.Exp(logit - largest);
        }

        return largest + Math.Log(sum);
    }

    private static int Largest(ReadOnlySpan<float> row)
    {
        var best = 0;
        for (var i = 1; i < row.Length; i++)
        {
            best = row[i] > row[best] ? i : best;
        }

        return best;
    }
}
