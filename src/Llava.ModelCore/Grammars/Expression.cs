using System.Text;

namespace Llava.ModelCore.Grammars;

/// <summary>A language, put together from smaller ones. What regular expressions and schemas are read into.</summary>
internal abstract record Expression
{
    /// <summary>The empty text.</summary>
    public static Expression Nothing { get; } = new SequenceOf([]);

    /// <summary>No text at all, not even the empty one.</summary>
    public static Expression Never { get; } = new OneOf([]);

    public static Expression Text(string text) => new Literal(Encoding.UTF8.GetBytes(text));

    public static Expression Sequence(params IReadOnlyList<Expression> parts) => parts is [var only] ? only : new SequenceOf(parts);

    public static Expression Choice(params IReadOnlyList<Expression> options) => options is [var only] ? only : new OneOf(options);

    public static Expression Optional(Expression item) => new Repetition(item, 0, 1);

    public static Expression Many(Expression item, int least = 0, int? most = null) => new Repetition(item, least, most);

    public static Expression Any(RuneSet set) => set.IsEmpty ? Never : new Characters(set);

    /// <summary>These bytes.</summary>
    public sealed record Literal(byte[] Bytes) : Expression;

    /// <summary>One character of a set, in UTF-8.</summary>
    public sealed record Characters(RuneSet Set) : Expression;

    /// <summary>One after the other.</summary>
    public sealed record SequenceOf(IReadOnlyList<Expression> Parts) : Expression;

    /// <summary>One of these.</summary>
    public sealed record OneOf(IReadOnlyList<Expression> Options) : Expression;

    /// <summary>Several times; null for any number of times.</summary>
    public sealed record Repetition(Expression Item, int Least, int? Most) : Expression;

    /// <summary>What a rule says; rules may call themselves.</summary>
    public sealed record Call(string Rule) : Expression;

    /// <summary>Paths through a graph from node 0 to one of the ends.</summary>
    public sealed record Graph(IReadOnlyList<GraphEdge> Edges, IReadOnlyCollection<int> Ends) : Expression;
}

/// <summary>An edge of a graph.</summary>
/// <param name="From">Its first node.</param>
/// <param name="Text">What is written on the way.</param>
/// <param name="To">Its second node.</param>
internal sealed record GraphEdge(int From, Expression Text, int To);
