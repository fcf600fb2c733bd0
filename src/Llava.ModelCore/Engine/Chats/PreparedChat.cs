using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Engine.Chats;

/// <summary>A conversation made ready for the engine: decoded, resized, tokenized. Holds no tensors.</summary>
public sealed class PreparedChat
{
    internal PreparedChat(ChatPrompt asked, SequenceRequest request, StopStrings stops, int promptTokens, int imageTokens) =>
        (Choices, ReportsTokens, Request, Stops, PromptTokens, ImageTokens) = (asked.Choices, asked.ReportsTokens, request, stops, promptTokens, imageTokens);

    /// <summary>Answers that will be generated.</summary>
    public int Choices { get; }

    /// <summary>Positions of the prompt, image features included.</summary>
    public int PromptTokens { get; }

    /// <summary>Those of them that are image features.</summary>
    public int ImageTokens { get; }

    internal bool ReportsTokens { get; }

    internal SequenceRequest Request { get; }

    internal StopStrings Stops { get; }
}
