using System.Globalization;

namespace Llava.ModelCore.Grammars.Schemas;

/// <summary>
/// Numbers between two bounds, digit by digit: as long as the digits so far are those of a bound, the next one may not go beyond it.
/// </summary>
/// <param name="lowest">The least number; null for none.</param>
/// <param name="lowestIsIn">Whether it is in the range itself.</param>
/// <param name="highest">The greatest number; null for none.</param>
/// <param name="highestIsIn">Whether it is in the range itself.</param>
/// <param name="canHaveFraction">Whether other numbers than whole ones are.</param>
internal sealed class DecimalRange(decimal? lowest, bool lowestIsIn, decimal? highest, bool highestIsIn, bool canHaveFraction)
{
    private const int IntegerDigits = 15;
    private const int FractionDigits = 15;

    /// <summary>The numbers as they are written: no sign before zero, no superfluous zero in front.</summary>
    public Expression ToExpression()
    {
        List<Expression> options = [];
        if (highest is null or >= 0)
        {
            var from = lowest is > 0 ? lowest.Value : 0;
            options.Add(new Magnitudes(from, lowest is null or < 0 || lowestIsIn, highest, highestIsIn, canHaveFraction).ToExpression());
        }

        if (lowest is null or < 0)
        {
            // Zero has no sign, so it is left out here.
            var from = highest is < 0 ? -highest.Value : 0;
            var magnitudes = new Magnitudes(from, highest is < 0 && highestIsIn, lowest is { } least ? -least : null, lowestIsIn, canHaveFraction);
            options.Add(Expression.Sequence(Expression.Text("-"), magnitudes.ToExpression()));
        }

        return Expression.Choice(options);
    }

    /// <summary>Numbers without a sign.</summary>
    private sealed class Magnitudes
    {
        private readonly Bound _low;
        private readonly Bound? _high;
        private readonly bool _canHaveFraction;
        private readonly List<GraphEdge> _edges = [];
        private readonly HashSet<int> _ends = [];
        private readonly Dictionary<Position, int> _nodes = [];
        private readonly Queue<Position> _open = [];

        public Magnitudes(decimal low, bool lowIsIn, decimal? high, bool highIsIn, bool canHaveFraction)
        {
            (_low, _canHaveFraction) = (new(low, lowIsIn), canHaveFraction);
            _high = high is { } most ? new(most, highIsIn) : null;
            _nodes.Add(new(0, 0, false, false, false), 0);
        }

        public Expression.Graph ToExpression()
        {
            for (var digits = 1; digits <= IntegerDigits; digits++)
            {
                if (_low.Integer.Length <= digits && (_high is null || _high.Integer.Length >= digits))
                {
                    AddLength(digits);
                }
            }

            while (_open.TryDequeue(out var position))
            {
                Extend(position);
            }

            return new Expression.Graph(_edges, _ends);
        }

        private void AddLength(int digits)
        {
            Position first = new(digits, 0, IsFraction: false, _low.Integer.Length == digits, _high?.Integer.Length == digits);
            _edges.Add(new(0, Expression.Nothing, NodeOf(first)));
        }

        private void Extend(Position at)
        {
            if (at.IsFraction ? at.Digit > 0 : at.Digit == at.Length)
            {
                if (MayEnd(at))
                {
                    _ends.Add(NodeOf(at));
                }
            }

            if (!at.IsFraction && at.Digit == at.Length)
            {
                if (_canHaveFraction)
                {
                    _edges.Add(new(NodeOf(at), Expression.Text("."), NodeOf(at with { Digit = 0, Length = FractionDigits, IsFraction = true })));
                }
            }
            else if (at.Digit < at.Length)
            {
                AddDigits(at);
            }
        }

        private void AddDigits(Position at)
        {
            var (low, high) = (DigitOf(_low, at), _high is null ? 9 : DigitOf(_high, at));
            var least = at is { IsFraction: false, Digit: 0, Length: > 1 } ? 1 : 0;
            for (var digit = Math.Max(least, at.IsLow ? low : 0); digit <= (at.IsHigh ? high : 9); digit++)
            {
                Position next = at with { Digit = at.Digit + 1, IsLow = at.IsLow && digit == low, IsHigh = at.IsHigh && digit == high };
                _edges.Add(new(NodeOf(at), Expression.Text(digit.ToString(CultureInfo.InvariantCulture)), NodeOf(next)));
            }
        }

        /// <summary>What has been written is the bound's beginning: it is the bound itself where only zeros follow there.</summary>
        private bool MayEnd(Position at)
        {
            var written = at.IsFraction ? at.Digit : 0;
            var isAboveLow = !at.IsLow || (_low.HasZerosFrom(written) && _low.IsIn);
            var isBelowHigh = !at.IsHigh || !_high!.HasZerosFrom(written) || _high.IsIn;
            return isAboveLow && isBelowHigh;
        }

        private static int DigitOf(Bound bound, Position at) => at.IsFraction ? bound.FractionDigit(at.Digit) : at.Length == bound.Integer.Length ? bound.Integer[at.Digit] - '0' : 0;

        private int NodeOf(Position position)
        {
            if (!_nodes.TryGetValue(position, out var node))
            {
                _nodes.Add(position, node = _nodes.Count);
                _open.Enqueue(position);
            }

            return node;
        }
    }

    /// <summary>Where a number stands that is being written.</summary>
    /// <param name="Length">Digits that this part of it will have, or may have.</param>
    /// <param name="Digit">Digits of the part that are written.</param>
    /// <param name="IsFraction">Whether the part is the one behind the point.</param>
    /// <param name="IsLow">Whether all digits are those of the lower bound.</param>
    /// <param name="IsHigh">Whether all digits are those of the upper bound.</param>
    private sealed record Position(int Length, int Digit, bool IsFraction, bool IsLow, bool IsHigh);

    /// <summary>A bound's digits.</summary>
    private sealed class Bound
    {
        private readonly string _fraction;

        public Bound(decimal value, bool isIn)
        {
            var text = value.ToString(CultureInfo.InvariantCulture).Split('.');
            (Integer, _fraction, IsIn) = (text[0], text.Length > 1 ? text[1] : "", isIn);
        }

        public string Integer { get; }

        public bool IsIn { get; }

        public int FractionDigit(int index) => index < _fraction.Length ? _fraction[index] - '0' : 0;

        public bool HasZerosFrom(int index) => !_fraction.Skip(index).Any(digit => digit != '0');
    }
}
