using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Grammars;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Engine.Chats;

/// <summary>Answers conversations in the running batch, ahead of jobs (<see cref="RequestPriority.Interactive"/>).</summary>
public sealed class ChatModel
{
    private readonly ITokenizer _tokenizer;
    private readonly ChatPreparation _preparation;
    private readonly LlavaEngine _engine;

    internal ChatModel(LlavaConfig config, ITokenizer tokenizer, QuestionPreparation questions, LlavaEngine engine) =>
        (_tokenizer, _preparation, _engine) = (tokenizer, new ChatPreparation(config, tokenizer, questions, engine), engine);

    /// <summary>Decodes, resizes and tokenizes on the calling thread; several may do so at the same time.</summary>
    /// <exception cref="ImageException">An image cannot be used.</exception>
    /// <exception cref="PromptException">The template cannot express the conversation.</exception>
    /// <exception cref="GrammarException">What answers have to look like cannot be used.</exception>
    /// <exception cref="RequestRefusedException">The model sees no images, or a setting is out of its range.</exception>
    public PreparedChat Prepare(ChatPrompt chat) => _preparation.Prepare(chat);

    /// <summary>The same for a chat that nobody waits for: one answer, which <see cref="LoadedModel.AnswerAsync(PreparedQuestion, CancellationToken)"/> gives in its turn among questions.</summary>
    /// <inheritdoc cref="Prepare"/>
    public PreparedQuestion PrepareItem(ChatPrompt chat, RequestPriority priority)
    {
        var prepared = _preparation.Prepare(chat);
        AnswerText text = new(prepared.Form);
        return new(prepared.Request with { Priority = priority, StopCondition = text, Constraint = prepared.Form.StartConstraint() }, text, prepared.Alternatives);
    }

    /// <summary>Puts the chat into the batch. Whoever disposes the run ends its answers and gets their slots back.</summary>
    /// <exception cref="RequestRefusedException">The prompt is longer than the context.</exception>
    /// <exception cref="EngineBusyException">Too many interactive requests wait.</exception>
    /// <exception cref="EngineStoppedException">The engine is stopping.</exception>
    public ChatRun Submit(PreparedChat chat)
    {
        List<SequenceHandle> handles = [];
        try
        {
            foreach (var request in chat.Alternatives?.Requests(chat.Request) ?? Enumerable.Range(0, chat.Choices).Select(choice => Request(chat, choice)))
            {
                handles.Add(_engine.Submit(request));
            }

            return new(_tokenizer, chat, handles);
        }
        catch
        {
            handles.ForEach(handle => handle.Cancel());
            throw;
        }
    }

    private static SequenceRequest Request(PreparedChat chat, int choice) => chat.Request with
    {
        StopCondition = new AnswerText(chat.Form),
        Constraint = chat.Form.StartConstraint(),
        Sampling = chat.Request.Sampling with { Seed = chat.Request.Sampling.Seed + choice },
    };
}
