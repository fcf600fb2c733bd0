using System.Text;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Grammars;

/// <summary>The text of a constrained answer: the very bytes that its automaton read, without what tokenizers tidy up when they decode.</summary>
internal sealed class ConstrainedDecoder(TokenVocabulary vocabulary) : TokenDecoder
{
    private readonly Utf8Assembler _bytes = new(replacesEachByte: false);
    private bool _isFirst = true;

    public override void Append(int id, StringBuilder output)
    {
        if (vocabulary.BytesOf(id, _isFirst) is { } bytes)
        {
            _bytes.Append(bytes.Span, output);
            _isFirst = false;
        }
    }

    public override void Complete(StringBuilder output) => _bytes.Complete(output);
}
