using System.Text;

namespace Llava.ModelCore.Tokenization;

/// <summary>Decodes byte-level ids as they come: the bytes of the tokens, one after the other.</summary>
internal sealed class ByteLevelDecoder(ByteLevelBpeTokenizer tokenizer, bool skipSpecial) : TokenDecoder
{
    private readonly Utf8Assembler _bytes = new(replacesEachByte: false);

    public override void Append(int id, StringBuilder output)
    {
        if (!skipSpecial || !tokenizer.IsSpecial(id))
        {
            _bytes.Append(tokenizer.BytesOf(id), output);
        }
    }

    public override void Complete(StringBuilder output) => _bytes.Complete(output);
}
