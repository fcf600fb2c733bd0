namespace Llava.ModelCore.Grammars;

/// <summary>What tokens write, as a tree in depth-first order: a beginning that is wrong rules all that begin with it out at once.</summary>
internal sealed class TokenTrie
{
    private readonly Node[] _nodes;
    private readonly int[] _tokens;

    /// <param name="texts">By token id; null where a token is no text.</param>
    public TokenTrie(IEnumerable<ReadOnlyMemory<byte>?> texts)
    {
        var written = texts.Select((text, id) => (Text: text, Id: id)).Where(token => token.Text is not null).Select(token => (Text: token.Text!.Value, token.Id)).ToLookup(token => token.Text.IsEmpty);
        Silent = [.. written[true].Select(token => token.Id)];
        var sorted = written[false].ToArray();
        Array.Sort(sorted, (a, b) => a.Text.Span.SequenceCompareTo(b.Text.Span) is var order and not 0 ? order : a.Id.CompareTo(b.Id));
        List<Node> nodes = [];
        var path = new Stack<int>();
        for (var i = 0; i < sorted.Length; i++)
        {
            var text = sorted[i].Text.Span;
            var shared = i == 0 ? 0 : text.CommonPrefixLength(sorted[i - 1].Text.Span);
            while (path.Count > shared)
            {
                Close(path.Pop());
            }

            while (path.Count < text.Length)
            {
                nodes.Add(new(text[path.Count], path.Count, nodes.Count + 1, i, i));
                path.Push(nodes.Count - 1);
            }

            nodes[^1] = nodes[^1] with { LastToken = i + 1 };
        }

        while (path.TryPop(out var node))
        {
            Close(node);
        }

        (_nodes, _tokens) = ([.. nodes], [.. sorted.Select(token => token.Id)]);

        void Close(int node) => nodes[node] = nodes[node] with { Behind = nodes.Count };
    }

    /// <summary>Length of the longest token, in bytes.</summary>
    public int Depth => _nodes.Length == 0 ? 0 : _nodes.Max(node => node.Depth) + 1;

    /// <summary>Tokens that write nothing.</summary>
    public IReadOnlyList<int> Silent { get; }

    /// <summary>Nodes in depth-first order.</summary>
    public ReadOnlySpan<Node> Nodes => _nodes;

    /// <summary>Ids of the tokens that end at a node.</summary>
    public ReadOnlySpan<int> TokensAt(in Node node) => _tokens.AsSpan(node.FirstToken, node.LastToken - node.FirstToken);

    /// <summary>A byte of some tokens.</summary>
    /// <param name="Value">The byte.</param>
    /// <param name="Depth">Bytes before it.</param>
    /// <param name="Behind">The first node that does not begin like this one.</param>
    /// <param name="FirstToken">First of the tokens that end here.</param>
    /// <param name="LastToken">The one behind the last.</param>
    public readonly record struct Node(byte Value, int Depth, int Behind, int FirstToken, int LastToken);
}
