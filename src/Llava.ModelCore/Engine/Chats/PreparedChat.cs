using Llava.ModelCore.Engine.Alternatives;

namespace Llava.ModelCore.Engine.Chats;

/// <summary>A conversation made ready for the engine: decoded, resized, tokenized. Holds no tensors.</summary>
public sealed class PreparedChat
{
    internal PreparedChat(ChatPrompt asked, SequenceRequest request, AnswerForm form, AlternativeSet? alternatives, int promptTokens, int imageTokens)
    {
        (Choices, ReportsTokens, PromptTokens, ImageTokens) = (asked.Choices, asked.ReportsTokens, promptTokens, imageTokens);
        (Request, Form, Alternatives) = (request, form, alternatives);
    }

    /// <summary>Answers that will be generated.</summary>
    public int Choices { get; }

    /// <summary>Positions of the prompt, image features included.</summary>
    public int PromptTokens { get; }

    /// <summary>Those of them that are image features.</summary>
    public int ImageTokens { get; }

    internal bool ReportsTokens { get; }

    internal SequenceRequest Request { get; }

    internal AnswerForm Form { get; }

    /// <summary>The only answers there are; null where any will do.</summary>
    internal AlternativeSet? Alternatives { get; }
}
