Feature: What the final authorization says
  It is about the same payment as the initial one, and carries the token that proves the customer's approval.

  @AP-11 @AP-23 @session_token
  Scenario: It carries the webhook's session token, not the Partner's
    Given a Partner with an order of 459.00 SEK
    And the Partner has a Klarna Network session token
    And Klarna will require a step-up
    When the Partner creates the payment
    Then the Partner's session token reached Klarna with the initial authorize
    When the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the final authorize carries the session token of the webhook in its header

  @AP-23 @AP-24
  Scenario: Amount, currency and references are those of the initial call
    Given a Partner with an order of 1299.50 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then amount, currency and references are the same in both authorize calls

  @AP-20 @AP-23
  Scenario: Each of two payments is finalised with its own session token
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the final authorize carries the session token of the webhook in its header
    Given Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the final authorize carries the session token of the webhook in its header
    And the acquirer tells the Partner that the payment is approved
