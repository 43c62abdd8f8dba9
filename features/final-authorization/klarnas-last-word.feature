Feature: Klarna's last word
  The customer has said yes, and Klarna may still say no. Only its answer to the final authorize counts.

  @AP-17 @AP-29
  Scenario: Klarna declines the final authorization
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    And at the final authorization, Klarna will decline
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer authorizes the payment with Klarna, finally
    And Klarna answers that the payment is declined
    And the acquirer tells the Partner that the payment is declined
    And the acquirer makes exactly one final authorize

  @AP-25 @AP-29
  Scenario: Klarna asks for a step-up once more
    # It should not. Whatever the acquirer makes of it, it is no approval.
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    And at the final authorization, Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer makes exactly one final authorize
    And the Partner is not told that the payment is approved
