namespace Llava.ModelCore.Engine.Chats;

/// <summary>Text that comes in parts, without the white space before its first and after its last word.</summary>
internal sealed class TrimmedText
{
    private bool _hasBegun;
    private string _space = "";

    /// <summary>What can be shown of the text so far and was not shown before.</summary>
    public string Push(string part)
    {
        var text = _hasBegun ? _space + part : part.TrimStart();
        _hasBegun |= text.Length > 0;
        var shown = text.TrimEnd();
        _space = text[shown.Length..];
        return shown;
    }
}
