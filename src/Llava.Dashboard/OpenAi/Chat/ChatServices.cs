using Llava.Dashboard.Interactive;
using Llava.Hosting.Egress;
using Llava.Hosting.Interactive;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.OpenAi.Chat;

/// <summary>Puts chats, completions and embeddings into the API.</summary>
internal static class ChatServices
{
    public static void AddLlavaChat(this IServiceCollection services)
    {
        services.AddSingleton<IValidateOptions<ChatInputOptions>, ChatInputOptionsRanges>();
        services.AddOptions<ChatInputOptions>().BindConfiguration(ChatInputOptions.SectionName).ValidateOnStart();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<ChatInputOptions>>().Value);
        services.AddChatOptions();
        services.TryAddSingleton(provider => provider.GetRequiredService<IOptions<ChatOptions>>().Value);
        services.AddLlavaEgress();
        services.AddSingleton<ConsumerClient>();
        services.AddSingleton<LiveConsumers>();
        services.AddSingleton<ModelRouter>();
        services.AddSingleton<ChatImages>();
        services.AddSingleton<ChatRequests>();
    }

    public static void MapLlavaChat(this RouteGroupBuilder api, ChatInputOptions limits)
    {
        api.MapChat(limits);
        api.MapTextCompletions();
        api.MapEmbeddings(limits);
    }
}
