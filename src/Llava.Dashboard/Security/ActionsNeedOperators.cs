using System.Reflection;
using Llava.Dashboard.Api;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;

namespace Llava.Dashboard.Security;

/// <summary>Refuses to run what a page posts for anybody below an operator, whichever page it is; a page for admins asks for more by its policy.</summary>
internal sealed class ActionsNeedOperators : IAsyncPageFilter
{
    public Task OnPageHandlerSelectionAsync(PageHandlerSelectedContext context) => Task.CompletedTask;

    public Task OnPageHandlerExecutionAsync(PageHandlerExecutingContext context, PageHandlerExecutionDelegate next)
    {
        var method = context.HttpContext.Request.Method;
        var isReading = HttpMethods.IsGet(method) || HttpMethods.IsHead(method);
        if (isReading || Caller.Of(context.HttpContext.User).Role >= AccessRole.Operator || context.HandlerInstance.GetType().GetCustomAttribute<ForEveryRoleAttribute>() is not null)
        {
            return next();
        }

        context.Result = new StatusCodeResult(StatusCodes.Status403Forbidden);
        return Task.CompletedTask;
    }
}

/// <summary>Marks a page whose posts change nothing but the sign-in of whoever sends them.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ForEveryRoleAttribute : Attribute;
