using System.Text;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Engine;

/// <summary>Turns tokens into text on the engine's thread as they come, and ends the sequence at a stop string.</summary>
internal sealed class AnswerText(AnswerForm form) : IStopCondition
{
    private readonly StreamingText _stream = form.StartText();
    private readonly StringBuilder _text = new();

    /// <inheritdoc/>
    public bool ShouldStop(int token)
    {
        _text.Append(_stream.Push(token));
        return _stream.IsStopped;
    }

    /// <summary>The whole answer, once the sequence has ended.</summary>
    public string Finish()
    {
        var text = _text.Append(_stream.Finish()).ToString();
        return form.IsBound ? text : text.Trim();
    }
}
