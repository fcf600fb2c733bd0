using System.Text;

namespace Llava.ModelCore.Tokenization;

/// <summary>
/// Decodes LLaMA ids as they come, special tokens skipped. Tokens behind the model's own pieces are joined to the runs of pieces
/// around them with one space, and each run loses the space that encoding put before it, as transformers' slow tokenizer does it.
/// </summary>
internal sealed class LlamaDecoder(LlamaTokenizer tokenizer) : TokenDecoder
{
    private SentencePieceText? _run;
    private bool _hasText;

    public override void Append(int id, StringBuilder output)
    {
        if (tokenizer.IsSpecial(id) || tokenizer.TokenOf(id) is not { } token)
        {
            return;
        }

        if (tokenizer.IsBehindPieces(id))
        {
            Complete(output);
            _run = null;
            Join(output);
            output.Append(token);
            return;
        }

        var isFirst = _run is null;
        if (isFirst)
        {
            Join(output);
            _run = new SentencePieceText();
        }

        tokenizer.AppendPiece(id, isFirst, _run!, output);
    }

    public override void Complete(StringBuilder output) => _run?.Complete(output);

    private void Join(StringBuilder output)
    {
        if (_hasText)
        {
            output.Append(' ');
        }

        _hasText = true;
    }
}
